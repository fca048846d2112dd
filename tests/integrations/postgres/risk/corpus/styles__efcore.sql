DO $EF$
BEGIN
    IF NOT EXISTS(SELECT 1 FROM information_schema.tables WHERE table_name = 'history') THEN
    ALTER TABLE "users" ADD "Extra" integer NOT NULL DEFAULT 0;
    END IF;
END $EF$;
