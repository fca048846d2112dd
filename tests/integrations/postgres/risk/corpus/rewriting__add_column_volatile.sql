ALTER TABLE users ADD COLUMN uid uuid NOT NULL DEFAULT gen_random_uuid();
