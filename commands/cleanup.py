"""Clean up: a run of its own that removes the databases which an ended run has kept."""

from collections.abc import Iterable

from bot.runbook.announcements import kept
from bot.runbook.people import Person
from bot.runbook.refusals import Invalid, NotNow
from bot.runbook.run import Plan, Risk, Run, State
from bot.runbook.wording import utc
from bot.target import Target
from bot.views.text import clip, escape, said
from commands.desk import Desk, Reply
from commands.fields import may_start, out_of_reach
from commands.parse import Request

_LOOKED_AT, _LISTED = 100, 10  # runs, newest first
_LENGTH = 4000  # characters of one message
_LIST = "Type /migrate cleanup alone to see the runs that may still keep something."


async def cleanup(desk: Desk, request: Request) -> Reply:
    """Start the run that cleans up after the one that is named; without a name, list those that keep something."""
    named = request.value.run or request.words.partition(" ")[0]
    if not named:
        return Reply(text=_listed(_keeping(await desk.engine.recent(_LOOKED_AT))))
    ended = await desk.engine.load(named)
    target = _target(desk, ended)
    person = await desk.person(request, target.policy)
    may_start(person, target)
    if problem := out_of_reach(target, person.id):
        raise Invalid(problem, "Then type the command again.")
    run = await desk.engine.start(_plan(ended, target, person))
    words = f"ℹ️ {escape(run.plan.name)} has started as {run.id}; it asks for approval in <#{target.channel}>."
    return Reply(text=words, channel=target.channel)


def _target(desk: Desk, ended: Run) -> Target:
    """The target of a run that can be cleaned up after; the refusal otherwise."""
    if not ended.final:
        raise NotNow(
            f"Run {ended.id} is still active, and may need what it keeps.",
            f"Wait until it has ended; /migrate status {ended.id} shows where it stands.",
        )
    if ended.plan.cleans:
        raise Invalid(f"Run {ended.id} was itself a clean-up and keeps nothing.", _LIST)
    target = desk.targets.get(ended.plan.target)
    if target is None or target.database != ended.plan.database:
        raise Invalid(
            f"Run {ended.id} was on {ended.plan.target} (database {ended.plan.database}), which is not set up here.",
            "Configure that target again, or remove its databases by hand.",
        )
    return target


def _plan(ended: Run, target: Target, person: Person) -> Plan:
    """A run that migrates nothing."""
    return Plan(
        target=target.name,
        database=target.database,
        name=f"Clean up after {ended.id}",
        purpose=f"Remove the databases that run {ended.id} has kept",
        migrations=(),
        starter=person.id,
        starter_name=person.name,
        channel=target.channel,
        policy=target.policy,
        downtime=False,
        downtime_minutes=0,
        total_minutes=10,
        risk=Risk.LOW,
        timing=target.timing,
        thresholds=target.thresholds,
        cleans=ended.id,
    )


def _keeping(runs: Iterable[Run]) -> list[Run]:
    """Ended runs that kept something and were not cleaned up after since."""
    known = list(runs)
    cleaned = {run.plan.cleans for run in known if run.state is State.CLEANED}
    return [run for run in known if run.final and run.id not in cleaned and kept(run)]


def _listed(runs: list[Run]) -> str:
    """Each with what it kept, and exactly what to type."""
    if not runs:
        return "ℹ️ No ended run is known to keep a database. To look all the same, type /migrate cleanup RUN."
    lines = [
        f"`/migrate cleanup {said(run.id, 60)}` {said(run.plan.name, 75)} on {said(run.plan.target, 80)}, ended"
        f" {utc(run.ended_at or run.since)}: {said('; '.join(kept(run)), 250)}"
        for run in runs[:_LISTED]
    ]
    more = [f"… and {len(runs) - _LISTED} older ones; /migrate history lists runs."] if len(runs) > _LISTED else []
    return clip("\n".join(["ℹ️ These runs may still keep databases:", *lines, *more]), _LENGTH)
