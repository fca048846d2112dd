-- name: calm
-- Our own sessions are bounded by us, not by what a role happens to have set; names are always written in full.
SELECT set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false),
       set_config('idle_in_transaction_session_timeout', '0', false), set_config('search_path', '', false),
       -- PostgreSQL 14 and 17 brought one each
       (SELECT count(set_config(name, '0', false)) FROM pg_settings
        WHERE name IN ('idle_session_timeout', 'transaction_timeout'))

-- name: identity
-- Which database this is, by the server's own word.
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
       current_database()::text AS database,
       current_user::text AS role,
       %(address)s::text AS address,
       current_setting('server_version_num')::int AS version,
       current_setting('server_version') AS version_text,
       pg_database_size(current_database()) AS size

-- name: export_snapshot
-- The snapshot others may join, and where the write-ahead log stands.
SELECT pg_export_snapshot(),
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text,
       pg_is_in_recovery()

-- name: table_sizes
-- Every table that holds rows itself: schema, name, bytes of its main fork, estimated rows.
SELECT n.nspname::text, c.relname::text, pg_relation_size(c.oid), greatest(c.reltuples, 0)::bigint,
       pg_table_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> ALL (%(hidden)s)
  AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2

-- name: sessions_of
-- Live sessions under one application name, other than the one that asks.  When a session of another role began, and
-- what it is, is NULL for a role without pg_read_all_stats; so it is here and below.
SELECT pid, coalesce(backend_start::text, ''), state, coalesce(left(query, 200), '')
FROM pg_stat_activity
WHERE application_name = %(name)s AND datname = current_database() AND pid <> pg_backend_pid()
ORDER BY pid

-- name: terminate
-- End one session, if it is still the same one.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = %(pid)s AND coalesce(backend_start::text, '') = %(started)s

-- name: cancel
-- Cancel what one session runs, if it is still the same one.
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE pid = %(pid)s AND coalesce(backend_start::text, '') = %(started)s

-- name: alive
-- Is that very session still in a transaction?
SELECT pid, coalesce(backend_start::text, '') FROM pg_stat_activity
WHERE pid = ANY (%(pids)s::int[]) AND state IS DISTINCT FROM 'idle'

-- name: guard_try
-- Take the guard of this database; false when somebody has it.
SELECT pg_try_advisory_lock(%(class)s, %(object)s)

-- name: guard_holder
-- Who holds the guard.
SELECT a.pid, coalesce(a.backend_start::text, ''), coalesce(a.application_name, '')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(class)s AND l.objid = %(object)s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: other_runs
-- Sessions of other runs still at work here, whose bot may be gone.
SELECT pid, coalesce(backend_start::text, ''), application_name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'migrate/%%' AND application_name NOT LIKE %(ours)s
  AND state IS DISTINCT FROM 'idle' AND split_part(application_name, '/', 3) IN ('backup', 'apply', 'go_back')

-- name: our_backend
-- The session that works for us: its pid, statement, what it waits for, who blocks it.
SELECT pid, coalesce(query, ''), coalesce(wait_event_type, ''), pg_blocking_pids(pid)
FROM pg_stat_activity
WHERE application_name = %(name)s AND datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend' AND state IS DISTINCT FROM 'idle'

-- name: blockers
-- The sessions behind some pids, as people need them named.
SELECT pid, coalesce(backend_start::text, '') AS started, coalesce(application_name, '') AS application,
       coalesce(usename::text, backend_type, '') AS "user",
       coalesce(extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start)), 0)::float8 AS age_seconds,
       coalesce(query, '') AS query
FROM pg_stat_activity WHERE pid = ANY (%(pids)s::int[])
ORDER BY pid

-- name: waiting_for
-- How many sessions wait for that one, and the longest wait in seconds.
SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float8
FROM pg_stat_activity
WHERE (wait_event_type = 'Lock' OR backend_type IS NULL) AND datname = current_database() AND %(pid)s = ANY (pg_blocking_pids(pid))

-- name: progress
-- What PostgreSQL tells of a long command's progress: what, phase, done, total.
SELECT 'Building an index', phase, CASE WHEN blocks_total > 0 THEN blocks_done ELSE tuples_done END,
       CASE WHEN blocks_total > 0 THEN blocks_total ELSE tuples_total END
FROM pg_stat_progress_create_index WHERE pid = %(pid)s
UNION ALL SELECT 'Rewriting a table', phase, heap_blks_scanned, heap_blks_total
FROM pg_stat_progress_cluster WHERE pid = %(pid)s
UNION ALL SELECT 'Vacuuming', phase, heap_blks_scanned, heap_blks_total
FROM pg_stat_progress_vacuum WHERE pid = %(pid)s
UNION ALL SELECT 'Copying', command, bytes_processed, bytes_total
FROM pg_stat_progress_copy WHERE pid = %(pid)s

-- name: application_sessions
-- Client sessions that are not ours, and those of other roles of which this role may not know what they are (the
-- server's own workers have no user); for these, the grant that is missing.
SELECT pid, coalesce(application_name, '') AS application, coalesce(usename::text, '') AS "user",
       coalesce(client_addr::text, '') AS client, coalesce(state, '') AS state,
       CASE WHEN backend_type IS NULL
            THEN format('GRANT pg_monitor, pg_signal_backend TO %%I', current_user) ELSE '' END AS missing
FROM pg_stat_activity
WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
  AND NOT starts_with(coalesce(application_name, ''), %(ignore)s)
ORDER BY pid

-- name: tuple_counters
-- Rows written so far, table by table, as the statistics have it.
SELECT schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del
FROM pg_stat_user_tables WHERE schemaname <> ALL (%(hidden)s)

-- name: invalid_indexes
-- Indexes that a cancelled CREATE INDEX CONCURRENTLY or REINDEX left behind.
SELECT n.nspname::text, c.relname::text, t.relname::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname !~ '^pg_'
ORDER BY 1, 2

-- name: valid_indexes
-- Names of indexes that are ready to use.
SELECT n.nspname::text, c.relname::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisvalid AND i.indisready AND n.nspname !~ '^pg_'

-- name: unproven_keys
-- Foreign keys nobody has validated: name, child, parent, and their columns in order.
SELECT k.conname::text, cn.nspname::text, c.relname::text, pn.nspname::text, p.relname::text,
       (SELECT array_agg(a.attname::text ORDER BY o.n) FROM unnest(k.conkey) WITH ORDINALITY o(att, n)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = o.att),
       (SELECT array_agg(a.attname::text ORDER BY o.n) FROM unnest(k.confkey) WITH ORDINALITY o(att, n)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = o.att)
FROM pg_constraint k
     JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
     JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND NOT k.convalidated
ORDER BY 1, 2, 3

-- name: unproven_checks
-- CHECK and NOT NULL constraints nobody has validated.
SELECT conrelid::regclass::text, conname::text FROM pg_constraint
WHERE contype IN ('c', 'n') AND NOT convalidated AND conrelid <> 0 ORDER BY 1, 2

-- name: earlier_markers
-- The same bytes, applied by another run.
SELECT file, run_id, at::text FROM migrate_bot.applied
WHERE sha256 = ANY (%(sha256)s) AND run_id <> %(run)s AND state = 'done'

-- name: marker_table
-- Is the bot's table of applied files here?
SELECT to_regclass('migrate_bot.applied') IS NOT NULL

-- name: marker_create_schema
-- The bot's own corner of the target.
CREATE SCHEMA IF NOT EXISTS migrate_bot

-- name: marker_create
-- Which file was applied by which run; a row is written in the file's own transaction.
CREATE TABLE IF NOT EXISTS migrate_bot.applied (
    run_id text NOT NULL,
    file text NOT NULL,
    sha256 text NOT NULL,
    state text NOT NULL CHECK (state IN ('begun', 'done')),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, file)
)

-- name: markers
-- What this run has begun and done.
SELECT file, sha256, state, at::text FROM migrate_bot.applied WHERE run_id = %(run)s

-- name: mark
-- Note a file of a run as begun or done.
INSERT INTO migrate_bot.applied (run_id, file, sha256, state) VALUES (%(run)s, %(file)s, %(sha256)s, %(state)s)
ON CONFLICT (run_id, file) DO UPDATE SET state = excluded.state, sha256 = excluded.sha256, at = clock_timestamp()

-- name: unmark
-- The file was begun and is proven to have done nothing.
DELETE FROM migrate_bot.applied WHERE run_id = %(run)s AND file = %(file)s AND state = 'begun'
