-- name: memory
-- maintenance_work_mem in kB, as it is for new sessions of this role.
SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem'
