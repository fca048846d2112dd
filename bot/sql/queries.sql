-- name: insert_run
-- A new run; the partial unique index refuses a second active one on the same target.
insert into runs (id, target, state, active, version, head, started_at)
values (%(id)s, %(target)s, %(state)s, true, 0, '', %(started_at)s);

-- name: lock_run
-- The run's row, held for one short transaction.
select version, head from runs where id = %(id)s and kind = 'run' for update;

-- name: peek_run
-- The run's version and head, without waiting for anybody.
select version, head from runs where id = %(id)s and kind = 'run';

-- name: insert_plan
-- A new plan; its row is never an active run.
insert into runs (id, target, state, active, version, head, started_at, kind, open)
values (%(id)s, %(target)s, %(state)s, false, 0, '', %(started_at)s, 'plan', true);

-- name: lock_plan
-- The plan's row, held for one short transaction.
select version, head from runs where id = %(id)s and kind = 'plan' for update;

-- name: plan_events
-- The ledger of a plan; nothing for a run's id.
select seq, at, actor, kind, body, hash from ledger
where run_id = %(id)s and seq > %(seq)s and exists (select from runs where id = %(id)s and kind = 'plan') order by seq;

-- name: update_plan
-- What the ledger now says, for those who list plans.
update runs set state = %(state)s, open = %(open)s, version = %(version)s, head = %(head)s where id = %(id)s;

-- name: open_plans
-- Every plan that waits for its start.
select id from runs where open order by started_at;

-- name: open_plans_of
-- The open plans of one target.
select id from runs where open and target = %(target)s;

-- name: recent_plans
-- The newest plans, whatever became of them.
select id from runs where kind = 'plan' order by started_at desc limit %(limit)s;

-- name: insert_follow_up
-- What follows a run; a second one of the same run is refused by its id.
insert into runs (id, target, state, active, version, head, started_at, kind, following)
values (%(id)s, %(target)s, %(state)s, false, 0, '', %(started_at)s, 'follow_up', true)
on conflict (id) do nothing;

-- name: lock_follow_up
-- The follow-up's row, held for one short transaction.
select version, head from runs where id = %(id)s and kind = 'follow_up' for update;

-- name: follow_up_events
-- The ledger of a follow-up; nothing for any other id.
select seq, at, actor, kind, body, hash from ledger
where run_id = %(id)s and exists (select from runs where id = %(id)s and kind = 'follow_up') order by seq;

-- name: update_follow_up
-- What the ledger now says, for those who list what follows.
update runs set state = %(state)s, following = %(following)s, version = %(version)s, head = %(head)s
where id = %(id)s;

-- name: open_follow_ups
-- Every run that is still watched, or whose review waits for people.
select id from runs where following order by started_at;

-- name: unfollowed_runs
-- Completed runs that nothing follows yet; those that began before ``since`` are too old for it.
select id from runs r
where kind = 'run' and state = 'completed' and started_at > %(since)s
and not exists (select from runs f where f.kind = 'follow_up' and f.id = 'f-' || r.id);

-- name: later_runs
-- Runs of the target that began after one, the newest first.
select id, state, active from runs
where kind = 'run' and target = %(target)s and started_at > (select started_at from runs where id = %(id)s)
order by started_at desc;

-- name: lock_target
-- One planner of a target at a time, for one short transaction.
select pg_advisory_xact_lock(hashtext('plans of ' || %(target)s));

-- name: ledger_head
-- The head of any ledger, a run's or a plan's.
select version, head from runs where id = %(id)s;

-- name: state_of
-- Where a run or a plan stands, as last written.
select state from runs where id = %(id)s;

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

-- name: past_runs
-- The newest runs of a target, in a state, since a moment; an empty text stands for all.
select id from runs
where kind = 'run' and started_at >= %(since)s
and (%(target)s = '' or target = %(target)s) and (%(state)s = '' or state = %(state)s)
order by started_at desc limit %(limit)s;

-- name: recent_runs
-- The newest runs, whatever became of them.
select id from runs where kind = 'run' order by started_at desc limit %(limit)s;

-- name: active_on
-- The active run of a target, if there is one.
select id from runs where active and target = %(target)s;

-- name: put_letter
-- A message to be delivered; a key that is already there changes nothing.
insert into letters (key, run_id, channel, thread, pin, payload, file_name, file_title, file_text, file_alt)
values (
    %(key)s, %(run_id)s, %(channel)s, %(thread)s, %(pin)s, %(payload)s, %(file_name)s, %(file_title)s, %(file_text)s,
    %(file_alt)s
) on conflict (key) do nothing;

-- name: redraw_letter
-- A message that should look different now.
update letters set payload = %(payload)s, wanted = wanted + 1 where key = %(key)s and payload <> %(payload)s::jsonb;

-- name: waiting_letters
-- What is not delivered yet, oldest first.
select key, run_id, channel, thread, pin, payload, file_name, file_title, file_text, file_alt, wanted, posted, trying, at, ts
from letters where run_id = %(run_id)s and posted < wanted order by seq;

-- name: letter
-- One message by its key.
select key, run_id, channel, thread, pin, payload, file_name, file_title, file_text, file_alt, wanted, posted, trying, at, ts
from letters where key = %(key)s;

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

-- name: put_notice
-- Something to be told outside of the channel; a key that is already there changes nothing.
insert into notices (key, run_id, target, medium, about, kind, body, put_at, due)
values (
    %(key)s, %(run_id)s, %(target)s, %(medium)s, %(about)s, %(kind)s, %(body)s, %(at)s, %(at)s
) on conflict (key) do nothing;

-- name: waiting_notices
-- What one medium has not been told of a run yet, oldest first; a later word on the same thing may wait as well.
select seq, key, run_id, target, medium, about, kind, body, tries, put_at, due, exists (
    select from notices later
    where later.run_id = n.run_id and later.medium = n.medium and later.about = n.about
    and later.seq > n.seq and later.state = 'waiting'
) as outdated
from notices n where run_id = %(run_id)s and medium = %(medium)s and state = 'waiting' order by seq;

-- name: settle_notice
-- How it came out.
update notices set state = %(state)s where key = %(key)s and state = 'waiting';

-- name: overtaken_notices
-- Earlier words on the same thing that could not be told, and now need not be.
update notices set state = 'overtaken'
where run_id = %(run_id)s and medium = %(medium)s and about = %(about)s and seq < %(seq)s and state = 'waiting';

-- name: put_off_notice
-- Tried in vain: again when it is due.
update notices set tries = tries + 1, due = %(due)s where key = %(key)s;

-- name: notices_due
-- Which medium has something to be told now, by run.
select distinct run_id, medium from notices where state = 'waiting' and due <= %(now)s;

-- name: put_traffic
-- One more count of a target's transactions.
insert into traffic (target, at, transactions, since)
values (%(target)s, %(at)s, %(transactions)s, %(since)s) on conflict do nothing;

-- name: traffic
-- What was counted of a target, oldest first.
select at, transactions, since from traffic where target = %(target)s and at >= %(since)s order by at;

-- name: forget_traffic
-- Counts that are too old to say anything.
delete from traffic where target = %(target)s and at < %(before)s;

-- name: insert_exercise
-- A game day is asked for; the partial unique index refuses a second one on the same target.
insert into exercises (run_id, target, state, body) values (%(run_id)s, %(target)s, 'asked', %(body)s);

-- name: exercise
-- One game day.
select run_id, target, state, body, injections, refused from exercises where run_id = %(run_id)s;

-- name: open_exercises
-- Those of which something may still be there.
select run_id from exercises where state in ('asked', 'running') order by run_id;

-- name: set_exercise
-- How far it is.
update exercises set state = %(state)s where run_id = %(run_id)s;

-- name: set_injections
-- What went wrong on purpose, and when.
update exercises set injections = %(injections)s where run_id = %(run_id)s;

-- name: count_refused
-- Somebody who may not answer has tried to.
update exercises set refused = refused + 1 where run_id = %(run_id)s;

-- name: driven_by
-- The worker that drives a run now.
select worker_id from procrastinate_jobs
where status = 'doing' and task_name = 'drive' and args ->> 'run_id' = %(run_id)s and worker_id is not null;

-- name: living_workers
-- Every worker that holds its liveness lock, with the name of that session: where its process is.
select l.objid::bigint, a.application_name
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.classid = %(class)s and l.objsubid = 2
and l.database = (select oid from pg_database where datname = current_database());

-- name: observed_runs
-- How many runs are in each state, of those that are not over.
select state, count(*) from runs where active group by state;

-- name: observed_jobs
-- How many jobs the queue has, by status; those that succeeded are removed.
select status::text, count(*) from procrastinate_jobs group by status;

-- name: observed_counts
-- Open plans, letters and notices that wait, and for how many seconds the oldest notice has been due.
select (select count(*) from runs where open),
       (select count(*) from letters where posted < wanted),
       (select count(*) from notices where state = 'waiting'),
       (select coalesce(%(now)s - min(due), 0)::double precision from notices where state = 'waiting');
