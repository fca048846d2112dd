-- Keys, indexes, views, trigger and comments of casework, over the rows that data.sql made.

CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE UNIQUE INDEX cases_number_key ON cases (number);
CREATE INDEX cases_client_idx ON cases (client_id);
CREATE INDEX cases_responsible_open_idx ON cases (responsible_id) WHERE status IN ('intake', 'open', 'on_hold');
CREATE INDEX documents_case_idx ON documents (case_id, uploaded_at DESC);
CREATE INDEX case_notes_case_idx ON case_notes (case_id, created_at DESC);
CREATE INDEX time_entries_case_idx ON time_entries (case_id);
CREATE INDEX time_entries_user_day_idx ON time_entries (user_id, worked_on);
CREATE INDEX audit_log_entity_idx ON audit_log (entity, entity_id);

ALTER TABLE cases
    ADD CONSTRAINT cases_client_fk FOREIGN KEY (client_id) REFERENCES clients (id),
    ADD CONSTRAINT cases_responsible_fk FOREIGN KEY (responsible_id) REFERENCES users (id);
ALTER TABLE documents
    ADD CONSTRAINT documents_case_fk FOREIGN KEY (case_id) REFERENCES cases (id) ON DELETE CASCADE,
    ADD CONSTRAINT documents_uploaded_by_fk FOREIGN KEY (uploaded_by) REFERENCES users (id);
ALTER TABLE case_notes
    ADD CONSTRAINT case_notes_case_fk FOREIGN KEY (case_id) REFERENCES cases (id) ON DELETE CASCADE,
    ADD CONSTRAINT case_notes_author_fk FOREIGN KEY (author_id) REFERENCES users (id);
ALTER TABLE time_entries
    ADD CONSTRAINT time_entries_case_fk FOREIGN KEY (case_id) REFERENCES cases (id),
    ADD CONSTRAINT time_entries_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE audit_log
    ADD CONSTRAINT audit_log_actor_fk FOREIGN KEY (actor_id) REFERENCES users (id);

ALTER SEQUENCE case_number_seq OWNED BY cases.number;

CREATE TRIGGER cases_record_status AFTER UPDATE OF status ON cases
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION record_case_status();

CREATE VIEW open_cases AS
    SELECT c.id, c.number, c.title, c.status, c.opened_on, cl.name AS client, u.full_name AS responsible
    FROM cases c JOIN clients cl ON cl.id = c.client_id JOIN users u ON u.id = c.responsible_id
    WHERE c.status IN ('intake', 'open', 'on_hold');

CREATE VIEW unapproved_time AS
    SELECT t.id, t.case_id, t.user_id, t.worked_on, t.minutes, t.minutes * t.rate_cents / 60 AS amount_cents
    FROM time_entries t WHERE t.approved_by IS NULL;

CREATE MATERIALIZED VIEW monthly_billing AS
    SELECT date_trunc('month', t.worked_on)::date AS month, c.practice_area,
           sum(t.minutes) AS minutes, sum(t.minutes::bigint * t.rate_cents / 60) AS amount_cents
    FROM time_entries t JOIN cases c ON c.id = t.case_id
    GROUP BY 1, 2;
CREATE UNIQUE INDEX monthly_billing_key ON monthly_billing (month, practice_area);

COMMENT ON TABLE cases IS 'One legal matter for one client.';
COMMENT ON COLUMN cases.number IS 'What people call the case by: C- and six digits, from case_number_seq.';
COMMENT ON TABLE time_entries IS 'Billable work; approved_by stays empty until a partner has approved it.';
COMMENT ON TABLE audit_log IS 'Who did what, kept by month; audit_log_later takes what no month holds.';
COMMENT ON VIEW open_cases IS 'What the dashboard lists.';
COMMENT ON MATERIALIZED VIEW monthly_billing IS 'Refreshed every night.';

ANALYZE;
