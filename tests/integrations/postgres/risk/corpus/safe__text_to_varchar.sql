ALTER TABLE users ALTER COLUMN note TYPE varchar;
