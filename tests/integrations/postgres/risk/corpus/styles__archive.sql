WITH moved AS (DELETE FROM audit WHERE id < 10 RETURNING *) INSERT INTO reporting.monthly SELECT date '2050-01-01' + id::int, 1 FROM moved;
