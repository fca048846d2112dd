-- name: baseline
-- Where this session's snapshot stands: moment, write-ahead log, snapshot, when the statistics were reset, commits.
SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text,
       pg_current_snapshot()::text,
       coalesce(extract(epoch FROM d.stats_reset)::text, ''), coalesce(d.xact_commit, 0),
       current_setting('server_version_num')::int
FROM (SELECT) AS one LEFT JOIN pg_stat_database d ON d.datname = current_database()

-- name: tables
-- Every table that holds people's rows: schema, name, oid, file, who changed its definition last, and rows inserted,
-- updated, deleted as the statistics have it.  Nothing here waits for a lock.
SELECT n.nspname::text, c.relname::text, c.oid::bigint, pg_relation_filenode(c.oid)::bigint, c.xmin::text,
       pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> ALL (%(hidden)s)
  AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2

-- name: may_read_files
-- May this role read the server's files?  Only superusers may by default.
SELECT has_function_privilege('pg_read_file(text)', 'EXECUTE')

-- name: exported
-- An exported snapshot in full: unlike pg_current_snapshot() it lists subtransactions.
SELECT pg_read_file(%(name)s)

-- name: remember_backends
-- From here to the transaction's end the statistics of all sessions are those of now (PostgreSQL 16+).
SELECT count(*) FROM pg_stat_get_backend_idset()

-- name: doubtful
-- Which of these transactions may have subtransactions: those that have, and those that have ended meanwhile.
SELECT o.xid FROM unnest(%(open)s::text[]) AS o(xid)
WHERE NOT EXISTS (
    SELECT 1 FROM pg_locks l JOIN pg_stat_get_backend_idset() AS b(id) ON pg_stat_get_backend_pid(b.id) = l.pid
         CROSS JOIN LATERAL pg_stat_get_backend_subxact(b.id) AS s(parts, overflowed)
    WHERE l.locktype = 'transactionid' AND l.granted AND l.transactionid::text = o.xid
      AND s.parts = 0 AND NOT s.overflowed)

-- name: own_table
-- Is the bot's note of what its migrations wrote themselves here?
SELECT to_regclass('migrate_bot.own_changes') IS NOT NULL

-- name: own_create
-- What a file wrote by its own hand: a row for the file (relid 0), and one for each table it wrote to.
CREATE TABLE IF NOT EXISTS migrate_bot.own_changes (
    run_id text NOT NULL,
    file text NOT NULL,
    xid bigint NOT NULL,
    parts bigint[],
    sure boolean NOT NULL DEFAULT false,
    relid oid NOT NULL,
    table_name text NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    PRIMARY KEY (run_id, file, relid)
)

-- name: own_note
-- The last words of a file's own transaction; whatever fails here, the migration does not.  Subtransactions (parts)
-- have numbers of their own: all in progress up to this block's, except those of the sessions that hold theirs.
DO $own_changes$
DECLARE
    own_top bigint; own_last bigint; own_parts bigint[]; strangers text[];
BEGIN
    own_top := pg_catalog.pg_current_xact_id()::text::bigint;
    IF current_setting('server_version_num')::int >= 160000 THEN  -- a session without any needs no search
        PERFORM pg_catalog.pg_stat_clear_snapshot();
        SELECT CASE WHEN s.parts = 0 AND NOT s.overflowed THEN ARRAY[]::bigint[] END INTO own_parts
        FROM pg_catalog.pg_stat_get_backend_idset() AS b(id)
             CROSS JOIN LATERAL pg_catalog.pg_stat_get_backend_subxact(b.id) AS s(parts, overflowed)
        WHERE pg_catalog.pg_stat_get_backend_pid(b.id) = pg_catalog.pg_backend_pid();
    END IF;
    INSERT INTO migrate_bot.own_changes (run_id, file, xid, relid, table_name, inserted, updated, deleted)
    SELECT {run}, {file}, own_top, 0, '', 0, 0, 0
    UNION ALL
    SELECT {run}, {file}, own_top, s.relid, s.schemaname || '.' || s.relname, s.n_tup_ins, s.n_tup_upd, s.n_tup_del
    FROM pg_catalog.pg_stat_xact_user_tables s
    WHERE s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0 AND s.schemaname <> 'migrate_bot';
    SELECT o.xmin::text::bigint INTO own_last FROM migrate_bot.own_changes o
    WHERE o.run_id = {run} AND o.file = {file} AND o.relid = 0;
    own_last := own_top + (own_last - own_top % 4294967296 + 4294967296) % 4294967296;
    strangers := ARRAY(SELECT l.transactionid::text FROM pg_catalog.pg_locks l
                       WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock'
                         AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid());
    IF own_parts IS NULL AND own_last - own_top <= 100000 THEN
        own_parts := ARRAY(SELECT x FROM pg_catalog.generate_series(own_top + 1, own_last - 1) AS g(x)
                           WHERE pg_catalog.pg_xact_status(x::text::xid8) = 'in progress'
                             AND (x % 4294967296)::text <> ALL (strangers));
    END IF;
    UPDATE migrate_bot.own_changes o
    SET parts = own_parts, sure = own_parts IS NOT NULL AND (cardinality(own_parts) = 0 OR cardinality(strangers) = 0)
    WHERE o.run_id = {run} AND o.file = {file} AND o.relid = 0;
EXCEPTION WHEN OTHERS THEN
    NULL;
END $own_changes$

-- name: own
-- What the files of a run wrote themselves.
SELECT file, xid, parts, sure, relid::bigint, inserted, updated, deleted
FROM migrate_bot.own_changes WHERE run_id = %(run)s

-- name: moment
-- How far the server has come since: snapshot, bytes of write-ahead log, when the statistics were reset, commits, and
-- whether nobody but the bot is connected: a session reports what it has done at its end at the latest.
SELECT pg_current_snapshot()::text, pg_wal_lsn_diff(pg_current_wal_lsn(), %(lsn)s::pg_lsn)::bigint,
       coalesce(extract(epoch FROM d.stats_reset)::text, ''), coalesce(d.xact_commit, 0),
       NOT EXISTS (SELECT 1 FROM pg_stat_activity a
                   WHERE a.datname = current_database() AND coalesce(a.backend_type, 'client backend') = 'client backend'
                     AND coalesce(a.application_name, '') NOT LIKE 'migrate/%%')
FROM (SELECT) AS one LEFT JOIN pg_stat_database d ON d.datname = current_database()

-- name: new_row
-- A row version that is not in the copy's snapshot, and not the migration's own.
CASE WHEN (age(t.xmin) BETWEEN 0 AND age({next}::xid)) OR t.xmin = ANY ({open}::text[]::xid[])
     THEN t.xmin <> ALL ({own}::text[]::xid[]) ELSE false END

-- name: size_of_table
-- Bytes of a table's rows; it waits for whoever has locked the table exclusively.
SELECT coalesce(pg_relation_size(%(oid)s::oid), 0)

-- name: border_row
-- A row version of a moment when transactions were open whose parts are not known.
age(t.xmin) > age({next}::xid) AND age(t.xmin) <= age({oldest}::xid) AND t.xmin <> ALL ({open}::text[]::xid[])

-- name: look
-- Rows of a table, those that are new, and those at the border.
SELECT count(*), count(*) FILTER (WHERE {new}), count(*) FILTER (WHERE {border}) FROM ONLY {table} AS t

-- name: as_dumped
-- Values as pg_dump writes them, so that they can be read again without loss.
SELECT set_config('datestyle', 'ISO', false), set_config('intervalstyle', 'postgres', false),
       set_config('extra_float_digits', '3', false), set_config('bytea_output', 'hex', false),
       set_config('client_encoding', current_setting('server_encoding'), false)

-- name: columns
-- A table's columns that hold values of their own, in order; generated ones are made again.
SELECT attname::text FROM pg_attribute
WHERE attrelid = %(oid)s::oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum

-- name: salvage
-- The new rows of a table, as a file; rather one too many than one too few.
COPY (SELECT {columns} FROM ONLY {table} AS t WHERE {new} OR {border}) TO STDOUT (FORMAT csv, HEADER true)

-- name: load
-- How a file is read into its table again.
COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, HEADER true, ENCODING {encoding})

-- name: key
-- A table's primary key: columns and types, in order.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %(oid)s::oid AND i.indisprimary AND i.indisvalid
ORDER BY k.n

-- name: keys
-- The keys of a table's new rows.
SELECT {columns} FROM ONLY {table} AS t WHERE {new}

-- name: present
-- How many of these keys there are in the copy.
SELECT count(*) FROM ONLY {table} AS t JOIN unnest({keys}) AS k ({names}) ON {same}

-- name: large_objects
-- Large objects made since; whose contents changed is not for every role to see.
SELECT count(*) FROM pg_largeobject_metadata AS t WHERE {new}
