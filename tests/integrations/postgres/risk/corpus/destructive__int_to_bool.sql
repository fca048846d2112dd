ALTER TABLE users ALTER COLUMN age TYPE boolean USING age::boolean;
