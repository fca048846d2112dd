-- The bot's own store: the ledger, and what can be derived from it.
-- Versions of this file only ever add (expand); what is no longer used is dropped a release later (contract).

create table if not exists runs (
    id            text primary key,
    target        text not null,
    state         text not null,
    active        boolean not null,
    version       integer not null,
    head          text not null,
    started_at    double precision not null,
    progress      text not null default '',
    progress_at   double precision not null default 0,
    deadman_id    text not null default '',
    deadman_until double precision not null default 0
);

-- A plan is prepared under an id of its own, beside the runs: its ledger and its letters hang on a row of kind 'plan',
-- which is never active.  ``open``: it still waits for its start.
alter table runs add column if not exists kind text not null default 'run';
alter table runs add column if not exists open boolean not null default false;
create index if not exists plans_open on runs (target) where open;
-- What follows a completed run has an id and a ledger of its own, likewise: a row of kind 'follow_up'.
alter table runs add column if not exists following boolean not null default false;
create index if not exists follow_ups_open on runs (id) where following;

-- One active run per target: the database itself refuses a second one.
create unique index if not exists runs_one_active on runs (target) where active;
create index if not exists runs_by_start on runs (started_at desc);

-- The ledger: append-only, hash-chained.
create table if not exists ledger (
    run_id text not null references runs (id),
    seq    integer not null,
    at     double precision not null,
    actor  text not null,
    kind   text not null,
    body   text not null,
    hash   text not null,
    primary key (run_id, seq)
);

create or replace function ledger_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only';
end
$$;

create or replace trigger ledger_append_only before update or delete or truncate on ledger
    for each statement execute function ledger_is_append_only();

-- The texts behind each question, so that a later difference can be shown.
create table if not exists attachments (
    run_id text not null references runs (id),
    step   text not null,
    name   text not null,
    body   text not null,
    primary key (run_id, step, name)
);

-- The outbox: every message, written in the transaction that made it true, delivered afterwards.
create table if not exists letters (
    seq     bigint generated always as identity primary key,
    key     text not null unique,
    run_id  text not null references runs (id),
    channel text not null,
    thread  text not null default '',
    pin     boolean not null default false,
    payload jsonb not null,
    wanted  integer not null default 1,
    posted  integer not null default 0,
    trying  boolean not null default false,
    at      text not null default '',
    ts      text not null default ''
);
-- A letter may bring a file; stores made before that get the columns here.
alter table letters add column if not exists file_name text;
alter table letters add column if not exists file_title text;
alter table letters add column if not exists file_text text;
alter table letters add column if not exists file_alt text;
create index if not exists letters_waiting on letters (run_id, seq) where posted < wanted;

-- Logs of the steps' child processes, redacted before they get here.
create table if not exists step_logs (
    id     bigint generated always as identity primary key,
    run_id text not null,
    step   text not null,
    at     double precision not null,
    line   text not null
);
create index if not exists step_logs_by_run on step_logs (run_id, id);

-- What is told outside of the channel (status page, pager, mail), written in the transaction that made it true.
create table if not exists notices (
    seq    bigint generated always as identity primary key,
    key    text not null unique,
    run_id text not null references runs (id),
    target text not null,
    medium text not null,
    about  text not null,
    kind   text not null,
    body   jsonb not null,
    state  text not null default 'waiting',  -- then told, overtaken, dropped or given up
    tries  integer not null default 0,
    put_at double precision not null,
    due    double precision not null
);
create index if not exists notices_waiting on notices (due) where state = 'waiting';

-- Transactions of each target's database as counted at the bot's looks: how busy an hour of the week usually is.
create table if not exists traffic (
    target       text not null,
    at           double precision not null,
    transactions bigint not null,
    since        text not null,
    primary key (target, at)
);

-- Game days, from their being asked for until nothing of them is left: what is to go wrong, and what did when.
create table if not exists exercises (
    run_id     text primary key,
    target     text not null,
    state      text not null,  -- asked, running, then over or refused
    body       jsonb not null,
    injections jsonb not null default '[]',
    refused    integer not null default 0
);
create unique index if not exists exercises_one_open on exercises (target) where state in ('asked', 'running');
