-- Cases get a priority, a next deadline and the time of their last activity; documents get a checksum;
-- people can watch cases; approvals of time point at real users.

ALTER TABLE cases
    ADD COLUMN priority smallint NOT NULL DEFAULT 3,
    ADD COLUMN due_on date,
    ADD COLUMN last_activity_at timestamptz,
    ADD CONSTRAINT cases_priority_known CHECK (priority BETWEEN 1 AND 5);

COMMENT ON COLUMN cases.priority IS '1 is most urgent, 5 can wait.';

UPDATE cases SET
    priority = CASE WHEN practice_area IN ('litigation', 'insolvency') THEN 1
                    WHEN practice_area IN ('employment', 'family') THEN 2 ELSE 3 END,
    due_on = CASE WHEN closed_on IS NULL THEN opened_on + 90 END,
    last_activity_at = greatest(created_at,
        (SELECT max(d.uploaded_at) FROM documents d WHERE d.case_id = cases.id),
        (SELECT max(n.created_at) FROM case_notes n WHERE n.case_id = cases.id),
        (SELECT max(t.worked_on)::timestamptz FROM time_entries t WHERE t.case_id = cases.id));

CREATE INDEX cases_priority_due_idx ON cases (priority, due_on) WHERE status IN ('intake', 'open', 'on_hold');

ALTER TABLE documents ADD COLUMN checksum text;

UPDATE documents SET checksum = encode(sha256(convert_to(title || body, 'UTF8')), 'hex');

CREATE INDEX documents_checksum_idx ON documents (checksum);

CREATE TABLE case_watchers (
    case_id  bigint NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    user_id  bigint NOT NULL REFERENCES users (id),
    since    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (case_id, user_id)
);

INSERT INTO case_watchers (case_id, user_id, since)
SELECT DISTINCT ON (case_id, author_id) case_id, author_id, created_at
FROM case_notes ORDER BY case_id, author_id, created_at;

CREATE INDEX case_watchers_user_idx ON case_watchers (user_id);

ALTER TABLE time_entries
    ADD CONSTRAINT time_entries_approved_by_fk FOREIGN KEY (approved_by) REFERENCES users (id) NOT VALID;
ALTER TABLE time_entries VALIDATE CONSTRAINT time_entries_approved_by_fk;

CREATE OR REPLACE VIEW open_cases AS
    SELECT c.id, c.number, c.title, c.status, c.opened_on, cl.name AS client, u.full_name AS responsible,
           c.priority, c.due_on, c.last_activity_at
    FROM cases c JOIN clients cl ON cl.id = c.client_id JOIN users u ON u.id = c.responsible_id
    WHERE c.status IN ('intake', 'open', 'on_hold');
