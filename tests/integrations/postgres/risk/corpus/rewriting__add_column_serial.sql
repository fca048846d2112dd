ALTER TABLE visits_2026 ADD COLUMN number bigserial;
