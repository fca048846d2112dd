ALTER TABLE users ALTER COLUMN code TYPE varchar(10);
