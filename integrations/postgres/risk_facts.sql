-- name: settings
-- What decides rules: version, time zone, and where the role of a plain psql session looks for names.
SELECT 'server_version_num', current_setting('server_version_num')
UNION ALL SELECT 'timezone', reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone'
UNION ALL SELECT 'search_path', reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path'
UNION ALL SELECT 'role', current_user::text

-- name: relations
-- Every relation with its size (bytes; indexes apart), rows as last counted, and what it belongs to.
SELECT n.nspname || '.' || c.relname, c.relkind::text,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid)
            + coalesce(pg_catalog.pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
            ELSE 0 END,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_indexes_size(c.oid) ELSE 0 END,
       c.relpersistence::text, CASE WHEN c.relispartition THEN 't' ELSE 'f' END,
       CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_partitioned_table p WHERE p.partdefid = c.oid) THEN 't' ELSE 'f' END,
       (SELECT rn.nspname || '.' || r.relname || '.' || a.attname
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class r ON r.oid = d.refobjid
             JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
             JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1),
       (SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' LIMIT 1),
       (SELECT string_agg(pn.nspname || '.' || p.relname, chr(31) ORDER BY i.inhseqno)
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
             JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> ALL (%(hidden)s)
  AND n.nspname !~ '^pg_(temp|toast)'

-- name: columns
-- Every column of a table, view or materialized view.
SELECT n.nspname || '.' || c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attnotnull THEN 't' ELSE 'f' END, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
       a.attidentity::text, a.attgenerated::text
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname <> ALL (%(hidden)s) AND n.nspname !~ '^pg_(temp|toast)'
ORDER BY 1, a.attnum

-- name: indexes
-- Every index, with the plain columns of its key.
SELECT n.nspname || '.' || c.relname, tn.nspname || '.' || t.relname,
       (SELECT string_agg(a.attname, chr(31) ORDER BY k.place)
        FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum),
       CASE WHEN x.indisunique THEN 't' ELSE 'f' END, CASE WHEN x.indisprimary THEN 't' ELSE 'f' END,
       CASE WHEN x.indisvalid THEN 't' ELSE 'f' END,
       (SELECT conname FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x') LIMIT 1),
       (SELECT pn.nspname || '.' || p.relname FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p
        ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid)
FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_class t ON t.oid = x.indrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE tn.nspname <> ALL (%(hidden)s) AND tn.nspname !~ '^pg_(temp|toast)'

-- name: constraints
-- Every constraint of a table; foreign keys with what they point at.
SELECT k.conname, n.nspname || '.' || c.relname, k.contype::text,
       (SELECT string_agg(a.attname, chr(31) ORDER BY x.place) FROM unnest(k.conkey) WITH ORDINALITY x(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum),
       CASE WHEN k.convalidated THEN 't' ELSE 'f' END,
       CASE WHEN k.contype = 'c' THEN pg_catalog.pg_get_constraintdef(k.oid) END,
       (SELECT fn.nspname || '.' || f.relname FROM pg_catalog.pg_class f
        JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace WHERE f.oid = k.confrelid),
       (SELECT string_agg(a.attname, chr(31) ORDER BY x.place) FROM unnest(k.confkey) WITH ORDINALITY x(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.attnum),
       k.confdeltype::text, k.confupdtype::text
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> ALL (%(hidden)s)

-- name: triggers
-- Every enabled trigger of users, with its function and events (i, u, d, t).
SELECT g.tgname, n.nspname || '.' || c.relname, fn.nspname || '.' || f.proname,
       concat(CASE WHEN g.tgtype & 4 > 0 THEN 'i' END, CASE WHEN g.tgtype & 16 > 0 THEN 'u' END,
              CASE WHEN g.tgtype & 8 > 0 THEN 'd' END, CASE WHEN g.tgtype & 32 > 0 THEN 't' END)
FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND n.nspname <> ALL (%(hidden)s)

-- name: types
-- Enums, domains, ranges and composite types of users; a domain with its base, and whether it has constraints.
SELECT n.nspname || '.' || t.typname, t.typtype::text,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
       CASE WHEN t.typnotnull OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)
            THEN 't' ELSE 'f' END
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND EXISTS (
       SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))
  AND n.nspname <> ALL (%(hidden)s)

-- name: functions
-- Functions that are not PostgreSQL's own; those of the interpreted languages with their whole definition.
SELECT n.nspname || '.' || p.proname, l.lanname, p.provolatile::text,
       CASE WHEN l.lanname IN ('plpgsql', 'sql') THEN p.prosrc END,
       (SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' LIMIT 1),
       CASE WHEN l.lanname IN ('plpgsql', 'sql') AND p.prokind IN ('f', 'p')
            THEN pg_catalog.pg_get_functiondef(p.oid) END
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.oid >= 16384 AND n.nspname <> ALL (%(hidden)s)

-- name: rules
-- Rules of users, which add to or replace what is written.
SELECT n.nspname || '.' || c.relname, pg_catalog.pg_get_ruledef(r.oid)
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'D' AND n.nspname <> ALL (%(hidden)s)

-- name: edges
-- Who goes with whom on CASCADE: views, columns, triggers, functions and sequences, by kind and name.
WITH named AS (
    SELECT 'pg_catalog.pg_class'::regclass AS class, c.oid, 0 AS part, 'relation ' || n.nspname || '.' || c.relname AS name,
           CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN n.nspname || '.' || c.relname END AS relation
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, a.attrelid, a.attnum, 'column ' || n.nspname || '.' || c.relname || '.' || a.attname,
           n.nspname || '.' || c.relname
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::regclass, r.oid, 0, 'relation ' || n.nspname || '.' || c.relname, n.nspname || '.' || c.relname
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename = '_RETURN' AND r.oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, 0,
           CASE WHEN a.attgenerated <> '' THEN 'column ' ELSE 'default ' END || n.nspname || '.' || c.relname || '.' || a.attname,
           n.nspname || '.' || c.relname
    FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
         JOIN pg_catalog.pg_class c ON c.oid = d.adrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_trigger'::regclass, g.oid, 0, 'trigger ' || n.nspname || '.' || c.relname || '.' || g.tgname,
           n.nspname || '.' || c.relname
    FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT g.tgisinternal
    UNION ALL
    SELECT 'pg_catalog.pg_policy'::regclass, g.oid, 0, 'policy ' || n.nspname || '.' || c.relname || '.' || g.polname,
           n.nspname || '.' || c.relname
    FROM pg_catalog.pg_policy g JOIN pg_catalog.pg_class c ON c.oid = g.polrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::regclass, k.oid, 0, 'constraint ' || n.nspname || '.' || c.relname || '.' || k.conname,
           n.nspname || '.' || c.relname
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, 0,
           CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN 'relation ' ELSE 'type ' END || n.nspname || '.' || coalesce(c.relname, t.typname), NULL
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE t.oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, p.oid, 0, 'function ' || n.nspname || '.' || p.proname, NULL
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.oid >= 16384
    UNION ALL
    SELECT 'pg_catalog.pg_extension'::regclass, e.oid, 0, 'extension ' || e.extname, NULL FROM pg_catalog.pg_extension e
)
SELECT DISTINCT o.name, u.name, u.relation
FROM pg_catalog.pg_depend d
     JOIN named o ON o.class = d.refclassid AND o.oid = d.refobjid AND o.part = d.refobjsubid
     JOIN named u ON u.class = d.classid AND u.oid = d.objid AND u.part = d.objsubid
WHERE d.deptype IN ('n', 'a', 'i', 'e') AND o.name <> u.name

-- name: casts
-- Casts that change no byte, so that a column's type may change without a rewrite.
SELECT pg_catalog.format_type(castsource, NULL), pg_catalog.format_type(casttarget, NULL)
FROM pg_catalog.pg_cast WHERE castmethod = 'b'

-- name: builtins
-- PostgreSQL's own functions with the worst volatility of each name.
SELECT proname, max(provolatile::text) FROM pg_catalog.pg_proc
WHERE oid < 16384 AND pronamespace = 'pg_catalog'::regnamespace GROUP BY proname

-- name: load
-- Statements of others running now, the oldest open transaction (seconds, who), connected standbys, slots.  Whether
-- another role's session is at work, only pg_read_all_stats may see: without it, it counts as one that is.
SELECT count(*) FILTER (WHERE coalesce(state, 'active') = 'active'),
       coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::numeric(12, 1),
       coalesce((array_agg(coalesce(nullif(application_name, ''), usename::text, '?') ORDER BY xact_start)
                 FILTER (WHERE xact_start IS NOT NULL))[1], ''),
       (SELECT count(*) FROM pg_catalog.pg_stat_replication), (SELECT count(*) FROM pg_catalog.pg_replication_slots)
FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend' AND usesysid IS NOT NULL

-- name: busy
-- How many rows were written in each table since the statistics began.
SELECT schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_catalog.pg_stat_user_tables
WHERE schemaname <> ALL (%(hidden)s)
