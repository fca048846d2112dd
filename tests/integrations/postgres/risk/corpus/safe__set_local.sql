SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = 0;
ALTER TABLE users ADD COLUMN IF NOT EXISTS flag boolean;
