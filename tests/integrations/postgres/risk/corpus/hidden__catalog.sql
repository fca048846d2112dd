DELETE FROM pg_catalog.pg_description WHERE false;
