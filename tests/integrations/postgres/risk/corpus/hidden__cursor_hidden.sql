DO $$ DECLARE c CURSOR FOR WITH d AS (SELECT purge_audit()) SELECT * FROM d; r record; BEGIN OPEN c; FETCH c INTO r; CLOSE c; END $$;
