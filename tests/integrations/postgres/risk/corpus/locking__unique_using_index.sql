CREATE UNIQUE INDEX code_idx ON users (code);
ALTER TABLE users ADD CONSTRAINT users_code_unique UNIQUE USING INDEX code_idx;
