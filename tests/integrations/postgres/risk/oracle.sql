-- name: relations
SELECT c.oid::bigint, n.nspname || '.' || c.relname, c.relkind::text, c.relfilenode::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'

-- name: columns
SELECT a.attrelid::bigint, a.attnum::int, a.attname::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema' ORDER BY 1, 2

-- name: locks
SELECT relation::bigint, mode FROM pg_locks
WHERE pid = %(pid)s AND locktype = 'relation' AND relation >= 16384
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: scans
SELECT relid::bigint, coalesce(seq_scan, 0)::bigint FROM pg_stat_xact_user_tables

-- name: waits
SELECT coalesce(bool_or(wait_event_type = 'Lock'), false) FROM pg_stat_activity WHERE pid = %(pid)s
