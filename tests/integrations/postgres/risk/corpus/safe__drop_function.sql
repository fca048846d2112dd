DROP FUNCTION purge_audit();
