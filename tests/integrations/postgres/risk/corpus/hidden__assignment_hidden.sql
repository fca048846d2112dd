DO $$ DECLARE n int; BEGIN n := (SELECT count(*) FROM (SELECT purge_audit()) x); END $$;
