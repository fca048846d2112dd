UPDATE users SET meta = json_build_object('v', 1) WHERE meta IS NULL;
ALTER TABLE users ALTER COLUMN meta SET DEFAULT '{}';
