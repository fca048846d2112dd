-- name: statements_schema
-- Where the extension's views are, if it is installed and loaded, and knows times by their present names.
SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements' AND string_to_array(e.extversion, '.')::int[] >= '{1,9}'

-- name: statements_since
-- Since when it counts: another moment later means that it was reset.
SELECT stats_reset::text FROM {}.pg_stat_statements_info

-- name: statements
-- The costliest statements of this database by all roles.
SELECT queryid::text, min(query), sum(calls)::bigint, sum(total_exec_time)
FROM {}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND queryid IS NOT NULL
GROUP BY queryid ORDER BY sum(total_exec_time) DESC LIMIT 200

-- name: statement_texts
-- Their texts alone, the costliest first, this role's own behind all others': it may be the bot's alone. As many as
-- leave enough when what is nobody's is left out.
SELECT min(query)
FROM {}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND queryid IS NOT NULL
GROUP BY queryid
ORDER BY bool_and(userid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)),
         sum(total_exec_time) DESC LIMIT 100

-- name: nobody_elses
-- Planning may evaluate functions. Is everything a statement names the work of those who own the database: this role, the
-- database's owner, superusers, extensions? A role that this one is a member of may have fewer rights, and is not trusted.
WITH trusted AS (
  SELECT oid FROM pg_catalog.pg_roles
  WHERE rolsuper OR rolname = current_user
     OR oid = (SELECT datdba FROM pg_catalog.pg_database WHERE datname = current_database())
), extended AS (
  SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
)
SELECT NOT EXISTS (
    SELECT FROM unnest(%(relations)s::text[]) AS named (name)
           LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(named.name)
    WHERE c.oid IS NULL OR c.relkind NOT IN ('r', 'p') OR c.relowner NOT IN (TABLE trusted))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_proc p
    WHERE p.proname = ANY (%(functions)s) AND p.proowner NOT IN (TABLE trusted)
      AND ('pg_catalog.pg_proc'::regclass, p.oid) NOT IN (TABLE extended))
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_operator o
    WHERE o.oprname = ANY (%(operators)s) AND o.oprowner NOT IN (TABLE trusted)
      AND ('pg_catalog.pg_operator'::regclass, o.oid) NOT IN (TABLE extended))
