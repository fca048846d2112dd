-- name: connections
-- Client connections to the whole server, and how many ordinary roles may make.
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' OR backend_type IS NULL),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int

-- name: long_transactions
-- Transactions of other sessions in this database that have been open for longer than %(seconds)s, the oldest first.
SELECT pid, coalesce(nullif(application_name, ''), usename::text, 'unknown'),
       extract(epoch FROM clock_timestamp() - xact_start)::float8
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND xact_start < clock_timestamp() - make_interval(secs => %(seconds)s)
  AND coalesce(backend_type, 'client backend') = 'client backend'
ORDER BY xact_start

-- name: waiting
-- Sessions of this database that wait for a lock now.
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'

-- name: replicas
-- Streaming replicas that lag behind.
SELECT coalesce(nullif(application_name, ''), client_addr::text, 'a replica'),
       extract(epoch FROM replay_lag)::float8
FROM pg_stat_replication WHERE extract(epoch FROM replay_lag) > %(seconds)s

-- name: slots
-- Replication slots that nobody reads: the WAL they keep, in bytes.
SELECT slot_name::text, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint
FROM pg_replication_slots
WHERE NOT active AND NOT pg_is_in_recovery() AND pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > %(bytes)s
ORDER BY 2 DESC

-- name: dead_rows
-- Tables of which a good part is dead rows, the worst first. Live rows are counted only since the statistics began, so
-- the last known number of all rows counts where it is larger.
SELECT schemaname || '.' || s.relname, n_dead_tup, live
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
     CROSS JOIN LATERAL (SELECT greatest(n_live_tup, c.reltuples::bigint) AS live) known
WHERE n_dead_tup >= %(rows)s AND n_dead_tup > %(share)s * (n_dead_tup + live)
ORDER BY n_dead_tup DESC

-- name: without_statistics
-- Columns of large tables that the planner knows nothing of: new ones, and those whose type was changed. Nothing is
-- said of tables this role may not read: their statistics are hidden from it.
SELECT format('%%I.%%I', n.nspname, c.relname), array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND c.relpersistence <> 't' AND c.reltuples <> 0 AND pg_relation_size(c.oid) >= %(bytes)s
  AND a.attstattarget IS DISTINCT FROM 0 AND a.attgenerated <> 'v'
  AND has_column_privilege(c.oid, a.attnum, 'SELECT') AND NOT row_security_active(c.oid)
  AND NOT EXISTS (SELECT FROM pg_stats s
                  WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname)
GROUP BY n.nspname, c.relname ORDER BY 1

-- name: ending_sequences
-- Sequences that have used up most of what they, or the column they fill, can hold.
SELECT format('%%I.%%I', s.schemaname, s.sequencename), s.last_value, held.most
FROM pg_sequences s
     JOIN pg_class c ON c.oid = format('%%I.%%I', s.schemaname, s.sequencename)::regclass
     LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
     LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     CROSS JOIN LATERAL (SELECT least(s.max_value, CASE a.atttypid WHEN 'int2'::regtype THEN 32767
                                                   WHEN 'int4'::regtype THEN 2147483647 END) AS most) held
WHERE s.increment_by > 0 AND NOT s.cycle AND s.last_value > %(share)s * held.most
ORDER BY s.last_value::numeric / held.most DESC

-- name: transaction_ids
-- Transactions since the oldest row of this database that is not frozen; the server stops writing at 2³¹.
SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()

-- name: by_quoted_name
-- A table by its quoted name, quoted anew by the server itself; NULL where there is none.
SELECT (SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass(%(name)s))
