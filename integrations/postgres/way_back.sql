-- name: databases
-- Which of these databases there are, and whether each takes connections.
SELECT datname::text, datallowconn FROM pg_catalog.pg_database WHERE datname = ANY (%(names)s)

-- name: rights
-- May this role make databases, and may it act as the owner of that one?
SELECT r.rolsuper OR r.rolcreatedb, pg_catalog.pg_has_role(d.datdba, 'MEMBER'), pg_catalog.pg_get_userbyid(d.datdba)::text
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d WHERE r.rolname = current_user AND d.datname = %(name)s

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
-- Sessions in these databases (autovacuum gives way by itself): pid, start, who.
SELECT pid, backend_start::text, coalesce(nullif(application_name, ''), usename::text, backend_type)
FROM pg_catalog.pg_stat_activity
WHERE datname = ANY (%(names)s) AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'
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
WHERE datname = current_database() AND application_name = %(name)s AND state <> 'idle'

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
