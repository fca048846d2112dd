DO $$ DECLARE q text; BEGIN SELECT 'DELETE FROM ' || tablename INTO q FROM pg_tables WHERE tablename = 'audit'; EXECUTE q; END $$;
