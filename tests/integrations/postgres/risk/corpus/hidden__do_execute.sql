DO $$ BEGIN EXECUTE 'drop table audit'; END $$;
