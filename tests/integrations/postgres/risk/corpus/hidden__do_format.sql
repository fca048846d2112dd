DO $$ BEGIN EXECUTE format('ALTER TABLE %I DROP COLUMN %I', 'users', 'score'); END $$;
