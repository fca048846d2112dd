DO $$ BEGIN DROP TABLE audit; END $$;
