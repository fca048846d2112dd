ALTER TABLE users ALTER COLUMN seen_at TYPE date;
