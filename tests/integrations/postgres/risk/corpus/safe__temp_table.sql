CREATE TEMP TABLE users_tmp AS SELECT id FROM users;
DROP TABLE users_tmp;
