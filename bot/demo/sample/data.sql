-- Rows of casework, the same on every run: psql -v scale=1 (about 338,000 rows) or a fraction of it.
-- Nothing here is random or tells the time; variety comes from multiplying by primes.

SELECT greatest(20, (400 * :scale)::int)  AS users,
       greatest(60, (8000 * :scale)::int) AS clients,
       (30000 * :scale)::int              AS cases,
       (90000 * :scale)::int              AS documents,
       (60000 * :scale)::int              AS notes,
       (90000 * :scale)::int              AS entries,
       (60000 * :scale)::int              AS audits \gset

CREATE FUNCTION pg_temp.pick(words text[], seed bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN words[1 + seed % cardinality(words)];

SELECT '{Ana,Mihai,Elena,Andrei,Ioana,Radu,Maria,Stefan,Irina,Victor,Laura,Paul,Diana,Matei,Sara,Tudor,Clara}' AS firsts,
       '{Bojin,Ionescu,Marin,Stan,Dumitru,Popa,Weber,Rossi,Novak,Garcia,Moreau,Lindqvist,Kovacs,Petrov,Murphy,Costa,Haas,Silva,Nagy}' AS lasts,
       '{Bucharest,Cluj,Iasi,Timisoara,Brasov,Vienna,Sofia,Milan,Lyon,Munich,Prague}' AS cities,
       '{litigation,contract,employment,"real estate",family,tax,insolvency}' AS areas,
       '{Claim,Appeal,Lease,Merger,Dismissal,Inheritance,"Tax audit",Trademark,Divorce,"Debt recovery",Permit,"Supply agreement",Injunction}' AS matters,
       '{Petition,Contract,"Power of attorney",Evidence,Invoice,Judgment,"Expert report",Letter,"Witness statement",Statute,Minutes}' AS papers,
       '{"the hearing was moved to the second chamber","the client sent the signed copies","waiting for the registry to answer","the other side offers a settlement","deadline for the reply confirmed","expert appointed by the court","costs estimate shared with the client","translation ordered"}' AS phrases,
       '{drafting,research,hearing,"client call",correspondence,review,travel,filing}' AS activities \gset

INSERT INTO users (email, full_name, role, password_hash, active, created_at)
SELECT mail, name, role, encode(sha256(convert_to(mail || ':demo', 'UTF8')), 'hex'), i % 23 <> 0,
       timestamptz '2021-01-04 08:00+00' + i * interval '17 hours'
FROM (SELECT i, 'user' || i || '@casework.example' AS mail,
             pg_temp.pick(:'firsts', i * 7) || ' ' || pg_temp.pick(:'lasts', i * 13) AS name,
             pg_temp.pick('{associate,associate,paralegal,assistant,partner}', i * 3) AS role
      FROM generate_series(1, :users) AS i) AS people;

INSERT INTO clients (name, kind, email, city, created_at)
SELECT CASE WHEN i % 4 = 0 THEN pg_temp.pick(:'lasts', i * 11) || ' & ' || pg_temp.pick(:'lasts', i * 17) || ' SRL'
            ELSE pg_temp.pick(:'firsts', i * 5) || ' ' || pg_temp.pick(:'lasts', i * 19) END,
       CASE WHEN i % 4 = 0 THEN 'company' ELSE 'person' END,
       'client' || i || '@mail.example', pg_temp.pick(:'cities', i * 7),
       timestamptz '2021-02-01 09:00+00' + i * interval '5 hours'
FROM generate_series(1, :clients) AS i;

INSERT INTO cases (number, title, practice_area, status, client_id, responsible_id, opened_on, closed_on, created_at)
SELECT 'C-' || to_char(nextval('case_number_seq'), 'FM000000'),
       pg_temp.pick(:'matters', i * 7) || ': ' || pg_temp.pick(:'lasts', i * 11) || ' v. ' || pg_temp.pick(:'lasts', i * 5 + 3),
       pg_temp.pick(:'areas', i * 5),
       (CASE WHEN i % 10 < 4 THEN 'closed' ELSE pg_temp.pick('{intake,open,open,open,on_hold,archived}', i * 7) END)::case_status,
       1 + (i::bigint * 7919) % :clients, 1 + (i::bigint * 104729) % :users, opened,
       CASE WHEN i % 10 < 4 THEN opened + 30 + i % 400 END, opened + time '09:30'
FROM (SELECT i, date '2021-03-01' + (i::bigint * 6113 % 1700)::int AS opened FROM generate_series(1, :cases) AS i) AS filed;

INSERT INTO documents (case_id, uploaded_by, title, media_type, size_bytes, body, uploaded_at)
SELECT 1 + (i::bigint * 15485863) % :cases, 1 + (i::bigint * 7907) % :users,
       pg_temp.pick(:'papers', i * 7) || ' ' || i,
       pg_temp.pick('{application/pdf,application/pdf,image/jpeg,text/plain,application/msword}', i * 3),
       2048 + i::bigint * 1299709 % 4000000,
       'In the matter of ' || pg_temp.pick(:'matters', i * 11) || ', ' || pg_temp.pick(:'phrases', i * 5) || '; ' || pg_temp.pick(:'phrases', i * 3 + 1) || '.',
       timestamptz '2022-01-03 10:00+00' + i * interval '23 minutes'
FROM generate_series(1, :documents) AS i;

INSERT INTO case_notes (case_id, author_id, body, created_at)
SELECT 1 + (i::bigint * 32452843) % :cases, 1 + (i::bigint * 6007) % :users,
       initcap(pg_temp.pick(:'activities', i * 7)) || ': ' || pg_temp.pick(:'phrases', i * 3) || '.',
       timestamptz '2022-01-03 11:00+00' + i * interval '34 minutes'
FROM generate_series(1, :notes) AS i;

INSERT INTO time_entries (case_id, user_id, approved_by, worked_on, minutes, rate_cents, activity)
SELECT 1 + (i::bigint * 49979687) % :cases, 1 + (i::bigint * 4001) % :users,
       CASE WHEN i % 3 <> 0 THEN 1 + (i::bigint * 31) % :users END,
       date '2022-01-03' + i * 1400 / :entries, 6 * (1 + i % 60), 9000 + 500 * (i % 30),
       pg_temp.pick(:'activities', i * 11)
FROM generate_series(1, :entries) AS i;

INSERT INTO audit_log (at, actor_id, action, entity, entity_id, detail)
SELECT timestamptz '2025-01-01 06:00+00' + i * interval '10 months 15 days' / :audits,
       1 + (i::bigint * 5003) % :users, pg_temp.pick('{case.view,case.update,document.view,document.upload,login}', i * 3),
       'case', 1 + (i::bigint * 67867967) % :cases,
       jsonb_build_object('ip', '10.0.' || i % 200 || '.' || i % 250, 'device', pg_temp.pick('{web,mobile,gateway}', i))
FROM generate_series(1, :audits) AS i;
