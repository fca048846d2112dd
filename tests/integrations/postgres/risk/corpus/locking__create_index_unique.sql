CREATE UNIQUE INDEX users_code_key ON users (code);
