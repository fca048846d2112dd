-- name: databases
-- Which of these databases there are, and whether each takes connections.
SELECT datname::text, datallowconn FROM pg_catalog.pg_database WHERE datname = ANY (%(names)s)

-- name: rights
-- What this role lacks to make databases and rename that one (the owner's rights by themselves, without SET ROLE, and
-- CREATEDB for either): in words, and as the statement that mends it.
SELECT 'it may not create or rename databases', format('ALTER ROLE %%I CREATEDB;', r.rolname)
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user AND NOT (r.rolsuper OR r.rolcreatedb)
UNION ALL
SELECT format('it cannot act as the owner “%%s” of the database', o.rolname),
       format('GRANT %%I TO %%I', o.rolname, current_user)
       || CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT TRUE;'
               ELSE format('; ALTER ROLE %%I INHERIT;', current_user) END
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
WHERE d.datname = %(name)s AND NOT pg_catalog.pg_has_role(d.datdba, 'USAGE')

-- name: properties
-- Everything a database is besides its content; as JSON because the columns differ between versions.
SELECT to_jsonb(d) || jsonb_build_object(
    'owner', pg_catalog.pg_get_userbyid(d.datdba), 'encoding_name', pg_catalog.pg_encoding_to_char(d.encoding),
    'tablespace', (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = d.dattablespace),
    'comment', pg_catalog.shobj_description(d.oid, 'pg_database'))
FROM pg_catalog.pg_database d WHERE d.datname = %(name)s

-- name: grants
-- Who may do what with the database: role ("" is PUBLIC), privilege, may it be passed on.
SELECT coalesce(r.rolname::text, ''), a.privilege_type, a.is_grantable
FROM pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) a
     LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE d.datname = %(name)s ORDER BY 1, 2

-- name: kept_settings
-- Settings kept with the database: role ("" is everybody), name, value.
SELECT coalesce(r.rolname::text, ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
     LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) c
WHERE d.datname = %(name)s ORDER BY 1, 2

-- name: sessions_in
-- Sessions in these databases (autovacuum gives way by itself): pid, start, who.  A role without pg_read_all_stats
-- knows neither start nor type of other roles' sessions; autovacuum has no user.
SELECT pid, coalesce(backend_start::text, ''), coalesce(nullif(application_name, ''), usename::text, backend_type)
FROM pg_catalog.pg_stat_activity
WHERE datname = ANY (%(names)s) AND pid <> pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker'
  AND coalesce(backend_type, usename::text) IS NOT NULL
ORDER BY pid

-- name: prepared_in
-- Prepared transactions of a database: no session ends them.
SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = %(name)s ORDER BY 1

-- name: slots_in
-- Logical replication slots of a database: they stay with it, whatever its name.
SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE database = %(name)s ORDER BY 1

-- name: size_of
-- Bytes of a database.
SELECT pg_catalog.pg_database_size(%(name)s)

-- name: wal_since
-- Bytes of write-ahead log the whole server has written since a position.
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), %(lsn)s::pg_lsn)::bigint

-- name: at_work
-- Sessions of a step that are still in a transaction.
SELECT pid FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND application_name = %(name)s AND state IS DISTINCT FROM 'idle'

-- name: gone_back_table
-- Is there a note that this database is a restored copy?
SELECT to_regclass('migrate_bot.gone_back') IS NOT NULL

-- name: gone_back_create_schema
-- The bot's own corner of the target.
CREATE SCHEMA IF NOT EXISTS migrate_bot

-- name: gone_back_create
-- Which run restored this database, and from which backup; written when the copy is proven.
CREATE TABLE IF NOT EXISTS migrate_bot.gone_back (
    run_id text PRIMARY KEY,
    manifest_sha256 text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)

-- name: gone_back_note
-- This database is that run's restored copy.
INSERT INTO migrate_bot.gone_back (run_id, manifest_sha256) VALUES (%(run)s, %(manifest)s)

-- name: gone_back
-- Is this database that run's restored copy, and since when?
SELECT at::text FROM migrate_bot.gone_back WHERE run_id = %(run)s AND manifest_sha256 = %(manifest)s

-- name: counted_keys
-- Sequences that fill an integer column: sequence's schema and name, table's schema and name, column.
SELECT sn.nspname::text, s.relname::text, tn.nspname::text, t.relname::text, a.attname::text
FROM pg_catalog.pg_depend d
     JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
     JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
     JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
     JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
     JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid AND q.seqincrement > 0
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
  AND d.deptype IN ('a', 'i') AND a.atttypid = ANY ('{int2,int4,int8}'::regtype[])
ORDER BY 1, 2

-- name: copies_create
-- Which copies of this database a run has set out to make: a copy that has the line is that run's own.
CREATE TABLE IF NOT EXISTS migrate_bot.copies (
    run_id text NOT NULL,
    database text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, database)
)

-- name: copies_note
-- Say it before the copy is made, so that the copy has it.
INSERT INTO migrate_bot.copies (run_id, database) VALUES (%(run)s, %(name)s) ON CONFLICT DO NOTHING

-- name: own_table
-- Is there this table of the bot's own?
SELECT to_regclass('migrate_bot.' || %(name)s) IS NOT NULL

-- name: copies
-- Is this database a copy that the run has set out to make?
SELECT at::text FROM migrate_bot.copies WHERE run_id = %(run)s LIMIT 1

-- name: standby_create
-- Which run's proven standby copy this is, with everything known of it (JSON).
CREATE TABLE IF NOT EXISTS migrate_bot.standby (
    run_id text PRIMARY KEY,
    note text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)

-- name: standby_note
-- From here on the copy counts as proven.
INSERT INTO migrate_bot.standby (run_id, note) VALUES (%(run)s, %(note)s)
ON CONFLICT (run_id) DO UPDATE SET note = excluded.note, at = clock_timestamp()

-- name: standby
-- What is noted of this copy.
SELECT note, at::text FROM migrate_bot.standby WHERE run_id = %(run)s

-- name: connected_to
-- Who is connected to a database, as people need them named.
SELECT pid, coalesce(nullif(application_name, ''), backend_type, 'session') || coalesce(' (user ' || usename || ')', '')
FROM pg_catalog.pg_stat_activity
WHERE datname = %(name)s AND pid <> pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker'
  AND coalesce(backend_type, usename::text) IS NOT NULL
ORDER BY pid

-- name: out_of_reach
-- Sessions of other roles in a database that this role may not see into or may not end, and the grant for it.
SELECT count(*), format('GRANT pg_monitor, pg_signal_backend TO %%I', current_user)
FROM pg_catalog.pg_stat_activity
WHERE datname = %(name)s AND usesysid IS NOT NULL
  AND (backend_type IS NULL OR NOT (pg_has_role('pg_signal_backend', 'USAGE') OR pg_has_role(usesysid, 'USAGE')))

-- name: where_data
-- The folder of the server's data where this role may know it, and the address it was reached at.
SELECT CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('data_directory') END, host(pg_catalog.inet_server_addr())

-- name: version
-- The server's version as a number.
SELECT pg_catalog.current_setting('server_version_num')::int

-- name: prisma_tables
-- Schemas with Prisma's own list of migrations.
SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = '_prisma_migrations' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' ORDER BY 1

-- name: kept
-- Databases with their bytes, openness, sessions now, the newest session's last word, and transactions counted.
SELECT d.datname::text, pg_catalog.pg_database_size(d.oid), d.datallowconn,
       count(a.pid), max(a.state_change)::timestamptz(0)::text, coalesce(max(s.xact_commit), 0)
FROM pg_catalog.pg_database d
     LEFT JOIN pg_catalog.pg_stat_activity a ON a.datid = d.oid AND a.usesysid IS NOT NULL
          AND coalesce(a.backend_type, 'client backend') = 'client backend'
     LEFT JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
WHERE d.datname = ANY (%(names)s)
GROUP BY d.oid, d.datname, d.datallowconn ORDER BY d.datname

-- name: locks_on
-- Who holds a lock on a database itself, from wherever: pid, who.
SELECT DISTINCT a.pid, coalesce(nullif(a.application_name, ''), a.usename::text, a.backend_type)
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND l.granted AND a.pid <> pg_backend_pid()
  AND l.objid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = %(name)s)
ORDER BY 1
