WITH gone AS (DELETE FROM audit RETURNING *) SELECT count(*) FROM gone;
