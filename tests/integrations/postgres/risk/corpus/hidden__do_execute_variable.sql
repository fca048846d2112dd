DO $$ DECLARE q text := 'DELETE'; BEGIN q := 'TRUNCATE audit'; EXECUTE q; END $$;
