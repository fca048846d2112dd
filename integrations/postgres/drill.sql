-- name: drill_sessions
-- Sessions of rehearsals in a database, other than the one that asks.
SELECT pid, coalesce(backend_start::text, '') FROM pg_catalog.pg_stat_activity
WHERE datname = %(database)s AND application_name LIKE 'migrate/' || %(name)s AND pid <> pg_backend_pid()

-- name: drill_databases
-- Databases named or marked like a rehearsal's, with their comment.
SELECT d.datname::text, pg_catalog.shobj_description(d.oid, 'pg_database') FROM pg_catalog.pg_database d
WHERE d.datname LIKE ANY (%(likes)s) OR pg_catalog.shobj_description(d.oid, 'pg_database') LIKE %(mark)s
ORDER BY 1

-- name: relations
-- Tables, views and the like: oid, full name, kind, file.
SELECT c.oid::bigint, n.nspname || '.' || c.relname, c.relkind::text, c.relfilenode::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', 'migrate_bot')

-- name: files
-- The files of some relations, as the asking transaction sees them.
SELECT c.oid::bigint, c.relfilenode::bigint FROM pg_catalog.pg_class c
WHERE c.oid = ANY (%(oids)s::oid[]) AND c.relkind IN ('r', 'm')

-- name: locks_of
-- Relation locks of one session in this database, held or waited for.
SELECT relation::bigint, mode FROM pg_catalog.pg_locks
WHERE pid = %(pid)s AND locktype = 'relation'
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())

-- name: waits
-- Does that session wait for a lock?
SELECT coalesce(bool_or(wait_event_type = 'Lock'), false) FROM pg_catalog.pg_stat_activity WHERE pid = %(pid)s

-- name: wal
-- Bytes of write-ahead log the server has written since it was made.
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint
