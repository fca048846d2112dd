-- name: insert_run
-- A new run; the partial unique index refuses a second active one on the same target.
insert into runs (id, target, state, active, version, head, started_at)
values (%(id)s, %(target)s, %(state)s, true, 0, '', %(started_at)s);

-- name: lock_run
-- The run's row, held for one short transaction.
select version, head from runs where id = %(id)s for update;

-- name: peek_run
-- The run's version and head, without waiting for anybody.
select version, head from runs where id = %(id)s;

-- name: update_run
-- What the ledger now says, for those who list runs.
update runs set state = %(state)s, active = %(active)s, version = %(version)s, head = %(head)s where id = %(id)s;

-- name: append_event
-- One more line in the ledger.
insert into ledger (run_id, seq, at, actor, kind, body, hash)
values (%(run_id)s, %(seq)s, %(at)s, %(actor)s, %(kind)s, %(body)s, %(hash)s);

-- name: events_after
-- The ledger of a run from a version on.
select seq, at, actor, kind, body, hash from ledger where run_id = %(id)s and seq > %(seq)s order by seq;

-- name: active_runs
-- Every run that is not final.
select id from runs where active order by started_at;

-- name: recent_runs
-- The newest runs, whatever became of them.
select id from runs order by started_at desc limit %(limit)s;

-- name: active_on
-- The active run of a target, if there is one.
select id from runs where active and target = %(target)s;

-- name: put_letter
-- A message to be delivered; a key that is already there changes nothing.
insert into letters (key, run_id, channel, thread, pin, payload)
values (%(key)s, %(run_id)s, %(channel)s, %(thread)s, %(pin)s, %(payload)s) on conflict (key) do nothing;

-- name: redraw_letter
-- A message that should look different now.
update letters set payload = %(payload)s, wanted = wanted + 1 where key = %(key)s and payload <> %(payload)s::jsonb;

-- name: waiting_letters
-- What is not delivered yet, oldest first.
select key, run_id, channel, thread, pin, payload, wanted, posted, trying, at, ts
from letters where run_id = %(run_id)s and posted < wanted order by seq;

-- name: letter
-- One message by its key.
select key, run_id, channel, thread, pin, payload, wanted, posted, trying, at, ts from letters where key = %(key)s;

-- name: trying_letter
-- Remembered before the call: from here on its outcome is unclear until it is recorded.
update letters set trying = true where key = %(key)s;

-- name: posted_letter
-- Delivered, in the form it had when it was read.
update letters set posted = greatest(posted, %(posted)s), trying = false, at = %(at)s, ts = %(ts)s where key = %(key)s;

-- name: runs_with_letters
-- Runs that still have something to say.
select distinct run_id from letters where posted < wanted;

-- name: put_attachment
-- The text behind a question.
insert into attachments (run_id, step, name, body) values (%(run_id)s, %(step)s, %(name)s, %(body)s)
on conflict (run_id, step, name) do update set body = excluded.body;

-- name: attachments
-- The texts behind the last question of a step.
select name, body from attachments where run_id = %(run_id)s and step = %(step)s order by name;

-- name: set_progress
-- Where the running step is; not part of the ledger.
update runs set progress = %(text)s, progress_at = %(at)s where id = %(id)s;

-- name: progress
-- Where the running step is.
select progress from runs where id = %(id)s;

-- name: deadman
-- The message left with the channel's own scheduler.
select deadman_id, deadman_until from runs where id = %(id)s;

-- name: deadmen_due
-- Active runs whose dead-man message must be put off, and ended ones that still have one.
select id from runs where (active and deadman_until < %(soon)s) or (not active and deadman_id <> '');

-- name: set_deadman
-- The message left with the channel's own scheduler, as it is now.
update runs set deadman_id = %(scheduled)s, deadman_until = %(until)s where id = %(id)s;

-- name: log_line
-- One line a child process said.
insert into step_logs (run_id, step, at, line) values (%(run_id)s, %(step)s, %(at)s, %(line)s);

-- name: log_lines
-- The newest lines of a run, oldest first.
select step, at, line from (
    select id, step, at, line from step_logs where run_id = %(run_id)s order by id desc limit %(limit)s
) newest order by id;
