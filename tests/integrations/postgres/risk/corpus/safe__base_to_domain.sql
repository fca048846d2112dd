ALTER TABLE users ALTER COLUMN note TYPE short_text;
