ALTER TABLE users ALTER COLUMN feeling TYPE text USING feeling::text;
