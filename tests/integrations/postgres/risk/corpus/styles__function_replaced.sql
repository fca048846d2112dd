CREATE OR REPLACE FUNCTION purge_audit() RETURNS void LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
SELECT purge_audit();
