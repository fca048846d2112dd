COMMENT ON FUNCTION purge_audit() IS 'careful';
