DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['users', 'orders'] LOOP EXECUTE format('ALTER TABLE %I ADD COLUMN extra text', t); END LOOP; END $$;
