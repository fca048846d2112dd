-- Fails on purpose at its last statement, after real changes: all of them must be rolled back.

ALTER TABLE cases ADD COLUMN court text NOT NULL DEFAULT 'unknown';

UPDATE cases SET court = 'Court ' || id % 12 WHERE practice_area = 'litigation';

CREATE TABLE hearings (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES cases (id),
    held_on date NOT NULL
);

UPDATE case_notes SET body = body || ' (archived)' WHERE created_at < '2022-06-01';

-- No case has this id: the parent row is missing.
INSERT INTO hearings (case_id, held_on) VALUES (999999999, '2025-12-01');
