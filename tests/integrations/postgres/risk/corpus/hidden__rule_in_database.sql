INSERT INTO ruled (id) VALUES (1);
