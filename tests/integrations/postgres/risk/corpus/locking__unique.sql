ALTER TABLE users ADD CONSTRAINT users_code_unique UNIQUE (code);
