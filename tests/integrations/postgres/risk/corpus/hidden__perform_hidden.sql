DO $$ BEGIN PERFORM purge_audit(); END $$;
