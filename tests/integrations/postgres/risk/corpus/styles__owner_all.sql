ALTER TABLE users OWNER TO postgres;
ALTER SEQUENCE invoice_number OWNER TO postgres;
ALTER VIEW named_users OWNER TO postgres;
ALTER FUNCTION purge_audit() OWNER TO postgres;
ALTER TYPE mood OWNER TO postgres;
ALTER SCHEMA reporting OWNER TO postgres;
