-- Valid, and not to be approved: seven kinds of statement that destroy something or keep everybody waiting.

ALTER TABLE documents DROP COLUMN media_type;

DO $$
BEGIN
    EXECUTE format('DROP TABLE %I', 'case_' || 'notes');
END
$$;

DELETE FROM time_entries;

/* only tidying up */ TRUNCATE TABLE "audit_log";

ALTER TABLE documents ALTER COLUMN uploaded_at TYPE date;

UPDATE users SET role = 'associate';

ALTER TABLE cases ADD COLUMN reference uuid NOT NULL DEFAULT gen_random_uuid();
