ALTER TABLE users ALTER COLUMN balance TYPE numeric(10, 0);
