ALTER TABLE users ALTER COLUMN balance TYPE numeric;
