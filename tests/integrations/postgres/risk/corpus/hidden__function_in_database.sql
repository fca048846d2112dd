SELECT purge_audit();
