ALTER TABLE events ADD FOREIGN KEY (user_id) REFERENCES users (id);
