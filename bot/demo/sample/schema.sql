-- casework: the case management of a law office. Tables first, then data.sql, then constraints.sql:
-- indexes and foreign keys are built faster over rows that are already there.

CREATE TYPE case_status AS ENUM ('intake', 'open', 'on_hold', 'closed', 'archived');

CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL,
    full_name     text NOT NULL,
    role          text NOT NULL DEFAULT 'associate',
    password_hash text NOT NULL,
    active        boolean NOT NULL DEFAULT true,
    last_login_at timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_role_known CHECK (role IN ('partner', 'associate', 'paralegal', 'assistant'))
);

CREATE TABLE clients (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    kind       text NOT NULL DEFAULT 'person',
    email      text,
    city       text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT clients_kind_known CHECK (kind IN ('person', 'company'))
);

CREATE SEQUENCE case_number_seq;

CREATE TABLE cases (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number         text NOT NULL,
    title          text NOT NULL,
    practice_area  text NOT NULL,
    status         case_status NOT NULL DEFAULT 'intake',
    client_id      bigint NOT NULL,
    responsible_id bigint NOT NULL,
    opened_on      date NOT NULL DEFAULT current_date,
    closed_on      date,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cases_closed_after_opened CHECK (closed_on IS NULL OR closed_on >= opened_on)
);

CREATE TABLE documents (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL,
    uploaded_by bigint NOT NULL,
    title       text NOT NULL,
    media_type  text NOT NULL,
    size_bytes  bigint NOT NULL,
    body        text NOT NULL DEFAULT '',
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT documents_size_not_negative CHECK (size_bytes >= 0)
);

CREATE TABLE case_notes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    bigint NOT NULL,
    author_id  bigint NOT NULL,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE time_entries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL,
    user_id     bigint NOT NULL,
    approved_by bigint,
    worked_on   date NOT NULL,
    minutes     integer NOT NULL,
    rate_cents  integer NOT NULL,
    activity    text NOT NULL,
    CONSTRAINT time_entries_minutes_in_a_day CHECK (minutes BETWEEN 1 AND 1440),
    CONSTRAINT time_entries_rate_not_negative CHECK (rate_cents >= 0)
);

CREATE TABLE audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT now(),
    actor_id    bigint,
    action      text NOT NULL,
    entity      text NOT NULL,
    entity_id   bigint NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

DO $$
DECLARE
    first date;
BEGIN
    FOR first IN SELECT generate_series('2025-01-01'::date, '2025-12-01', interval '1 month') LOOP
        EXECUTE format('CREATE TABLE audit_log_%s PARTITION OF audit_log FOR VALUES FROM (%L) TO (%L)',
                       to_char(first, 'YYYY_MM'), first, first + interval '1 month');
    END LOOP;
END
$$;

CREATE TABLE audit_log_later PARTITION OF audit_log DEFAULT;

CREATE FUNCTION record_case_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (actor_id, action, entity, entity_id, detail)
    VALUES (NEW.responsible_id, 'case.status', 'case', NEW.id,
            jsonb_build_object('from', OLD.status, 'to', NEW.status));
    RETURN NEW;
END
$$;
