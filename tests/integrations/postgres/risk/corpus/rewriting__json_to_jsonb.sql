ALTER TABLE users ALTER COLUMN meta TYPE jsonb USING meta::jsonb;
