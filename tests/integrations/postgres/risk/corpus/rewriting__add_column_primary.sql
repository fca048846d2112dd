ALTER TABLE visits_2026 ADD COLUMN key uuid PRIMARY KEY DEFAULT gen_random_uuid();
