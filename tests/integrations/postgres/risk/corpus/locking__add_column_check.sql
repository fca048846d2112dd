ALTER TABLE users ADD COLUMN stars int DEFAULT 3 CHECK (stars < 6);
