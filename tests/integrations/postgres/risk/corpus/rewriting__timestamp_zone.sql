ALTER TABLE users ALTER COLUMN seen_at TYPE timestamptz USING seen_at AT TIME ZONE 'Europe/Berlin';
