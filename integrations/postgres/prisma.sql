-- name: table
-- Is Prisma's list of migrations in that schema?
SELECT to_regclass(format('%%I._prisma_migrations', %(schema)s::text)) IS NOT NULL

-- name: list
-- The list itself, oldest first; ``late``: begun after the run's backup.
SELECT id::text AS id, checksum::text AS checksum, migration_name::text AS name, started_at::text AS started,
       finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS rolled_back, coalesce(logs, '') AS logs,
       started_at > {since}::timestamptz AS late
FROM {table} ORDER BY started_at, id

-- name: anything
-- Has that schema any table, so that Prisma would refuse to begin a list there (P3005)?
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm')

-- name: list_awaited
-- The sessions that wait for Prisma's list, which is locked to see who asks for it.
SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT l.granted AND n.nspname = %(schema)s AND c.relname = '_prisma_migrations'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: advisory_holder
-- Who holds Prisma's advisory lock here (pg_advisory_lock(72707369): classid is its upper half).
SELECT a.pid, coalesce(a.backend_start::text, '') AS started, coalesce(a.application_name, '') AS application,
       coalesce(a.usename::text, '') AS "user",
       coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change, a.backend_start)), 0)::float8
           AS age_seconds,
       coalesce(a.query, '') AS query
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = 72707369 AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY a.pid

-- name: guard_function
-- Fires in Prisma's own session, before a migration's script: it lets through what was approved, and sets the limits
-- of that session, whatever engine or wrapper opened it.  It means something only while the bot holds its own lock of
-- this database (orphans.GUARD), so one that a dead bot left behind is in nobody's way.  Arguments: application name, lock_timeout,
-- statement_timeout, client_connection_check_interval, then name and checksum of each approved migration.
CREATE OR REPLACE FUNCTION migrate_bot.prisma_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $guard$
DECLARE place int := 4;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_locks
                   WHERE locktype = 'advisory' AND granted AND classid = 1835624306 AND objid = 6451060 AND database =
                         (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) THEN
        RETURN NEW;
    END IF;
    PERFORM pg_catalog.set_config('application_name', TG_ARGV[0], false);
    PERFORM pg_catalog.set_config('lock_timeout', TG_ARGV[1], false);
    PERFORM pg_catalog.set_config('statement_timeout', TG_ARGV[2], false);
    BEGIN
        PERFORM pg_catalog.set_config('client_connection_check_interval', TG_ARGV[3], false);
    EXCEPTION WHEN OTHERS THEN NULL;  -- before PostgreSQL 14, or not on this platform
    END;
    WHILE place < TG_NARGS LOOP
        IF TG_ARGV[place] = NEW.migration_name AND TG_ARGV[place + 1] = NEW.checksum THEN
            RETURN NEW;
        END IF;
        place := place + 2;
    END LOOP;
    RAISE EXCEPTION 'migration % with checksum % is not what was approved', NEW.migration_name, left(NEW.checksum, 12)
        USING ERRCODE = 'insufficient_privilege';
END
$guard$

-- name: guard_there
-- Is the guard on the table?
SELECT count(*) FROM pg_trigger
WHERE tgname = 'migrate_bot_guard' AND tgrelid = to_regclass(format('%%I._prisma_migrations', %(schema)s::text))

-- name: forget
-- A migration that was taken out by its DOWN script was never applied, as far as Prisma is concerned.
DELETE FROM {table} WHERE migration_name = ANY ({names}) AND started_at > {since}::timestamptz
