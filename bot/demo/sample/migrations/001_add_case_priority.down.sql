-- The way back from 001_add_case_priority.sql; priorities set by people since then are lost.

DROP VIEW open_cases;
CREATE VIEW open_cases AS
    SELECT c.id, c.number, c.title, c.status, c.opened_on, cl.name AS client, u.full_name AS responsible
    FROM cases c JOIN clients cl ON cl.id = c.client_id JOIN users u ON u.id = c.responsible_id
    WHERE c.status IN ('intake', 'open', 'on_hold');
COMMENT ON VIEW open_cases IS 'What the dashboard lists.';

ALTER TABLE time_entries DROP CONSTRAINT time_entries_approved_by_fk;
DROP TABLE case_watchers;
ALTER TABLE documents DROP COLUMN checksum;
ALTER TABLE cases DROP COLUMN priority, DROP COLUMN due_on, DROP COLUMN last_activity_at;
