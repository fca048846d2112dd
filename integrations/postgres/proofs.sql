-- name: standing
-- What this role may here, as long as nothing of the session was changed by us.
SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', r.rolcreatedb OR r.rolsuper,
       has_database_privilege(current_database(), 'CREATE'), pg_has_role('pg_signal_backend', 'USAGE'),
       (SELECT bool_or(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc p
        WHERE p.proname = 'pg_terminate_backend' AND p.pronamespace = 'pg_catalog'::regnamespace),
       datallowconn, current_user::text
FROM pg_roles r, pg_database d
WHERE r.rolname = current_user AND d.datname = current_database()

-- name: read_only
-- From here on this session reads, and never waits for long.
SELECT set_config('default_transaction_read_only', 'on', false),
       set_config('statement_timeout', %(limit)s, false), set_config('lock_timeout', %(limit)s, false)

-- name: as_psql
-- Names are looked for where psql will look for them; everything else stays written in full.
SELECT pg_catalog.set_config('search_path', reset_val, false)
FROM pg_catalog.pg_settings WHERE name = 'search_path'

-- name: migrating
-- Who else migrates this database: Prisma's lock, the bot's own guard, known tools, and DDL that runs right now.
SELECT l.pid, coalesce(a.application_name, ''), 'holds Prisma''s migration lock (advisory lock 72707369)'
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = 72707369 AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
UNION ALL
SELECT l.pid, coalesce(a.application_name, ''), 'holds the guard of a migration by this bot'
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(class)s AND l.objid = %(object)s
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND NOT pg_catalog.starts_with(coalesce(a.application_name, ''), %(ours)s)
UNION ALL
SELECT pid, application_name, 'calls itself a migration tool'
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
  AND application_name ~* '(^|[^a-z])(schema[-_]engine|migration[-_]engine|flyway|liquibase|alembic|sqitch|pgroll|dbmate|goose|golang[-_]migrate|prisma[ -_]?migrate)([^a-z]|$)'
UNION ALL
SELECT pid, coalesce(application_name, ''), 'changes the schema right now'
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND state = 'active'
  AND NOT pg_catalog.starts_with(coalesce(application_name, ''), %(ours)s)
  AND query ~* '^\s*(alter\s+table|create\s+(unique\s+)?index|drop\s+(table|index|schema|type)|cluster\s)'
ORDER BY 1

-- name: relations
-- Of each relation that is named: is it there, whose is it, and does this role act as its owner?
SELECT n.name, c.oid::regclass::text, pg_catalog.pg_get_userbyid(c.relowner)::text,
       pg_catalog.pg_has_role(c.relowner, 'USAGE'), s.nspname::text
FROM unnest(%(names)s::text[]) AS n(name)
     JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n.name)
     JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace

-- name: privilege
-- Has this role the privilege on the relation, or on some of its columns where that is possible?
SELECT CASE WHEN pg_catalog.to_regclass(%(name)s) IS NULL THEN true
            WHEN pg_catalog.has_table_privilege(pg_catalog.to_regclass(%(name)s)::oid, %(privilege)s) THEN true
            WHEN %(privilege)s IN ('INSERT', 'UPDATE', 'REFERENCES')
            THEN pg_catalog.has_any_column_privilege(pg_catalog.to_regclass(%(name)s)::oid, %(privilege)s)
            ELSE false END

-- name: schemas
-- The schemas in which this role may make nothing; the empty name stands for where it makes things by default.
SELECT DISTINCT s.nspname::text
FROM unnest(%(names)s::text[]) AS n(name)
     JOIN pg_catalog.pg_namespace s ON s.nspname = coalesce(nullif(n.name, ''), pg_catalog.current_schema())
WHERE NOT pg_catalog.has_schema_privilege(s.oid, 'CREATE')
ORDER BY 1

-- name: extensions
-- Extensions that are planned and cannot be made: not on the server, or only by a superuser.
SELECT n.name, a.name IS NULL
FROM unnest(%(names)s::text[]) AS n(name)
     LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = n.name
WHERE a.name IS NULL OR a.installed_version IS NULL
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_available_extension_versions v
                  WHERE v.name = n.name AND v.version = a.default_version AND (v.trusted OR NOT v.superuser))
  AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)

-- name: not_dumpable
-- Tables and sequences whose rows pg_dump could not read: no SELECT, or a row-level policy hides some.
SELECT s.nspname || '.' || c.relname,
       NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'S') AND c.relpersistence <> 't' AND s.nspname !~ '^pg_'
  AND s.nspname <> 'information_schema'
  AND (NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.row_security_active(c.oid))
ORDER BY 1 LIMIT 20

-- name: applied_here
-- What the bot noted of these files, or of these bytes, whichever run it was; the newest of each.
SELECT DISTINCT ON (file, sha256) file, sha256, state, run_id FROM migrate_bot.applied
WHERE file = ANY (%(names)s) OR sha256 = ANY (%(sums)s) ORDER BY file, sha256, at DESC

-- name: prisma_tables
-- The schemas that have Prisma's table of migrations.
SELECT s.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
WHERE c.relname = '_prisma_migrations' AND c.relkind IN ('r', 'p') ORDER BY 1

-- name: prisma_rows
-- Everything that Prisma noted, oldest first (a migration that was rolled back has a second row when it is retried).
SELECT migration_name::text, checksum::text, finished_at IS NOT NULL, rolled_back_at IS NOT NULL
FROM {table} ORDER BY started_at

-- name: transactions
-- How many transactions this database has ended, counted since when.
SELECT xact_commit + xact_rollback, coalesce(stats_reset::text, '')
FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()

-- name: session
-- Of this very session: may it see what others do, is it encrypted, and from how far does it come?
SELECT pg_catalog.pg_has_role('pg_monitor', 'USAGE'), coalesce((SELECT ssl FROM pg_catalog.pg_stat_ssl
       WHERE pid = pg_catalog.pg_backend_pid()), false), pg_catalog.inet_server_addr()::text,
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
