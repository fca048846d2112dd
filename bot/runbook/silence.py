"""What the channel is told when the bot itself falls silent: written ahead, posted by the channel's own scheduler."""

from bot.runbook.run import Database, Run, State
from bot.runbook.steps import Route
from bot.runbook.wording import utc

_DATABASE = {
    Database.UNTOUCHED: "The database was not changed.",
    Database.UNKNOWN: "A change of the database was under way: apply nothing and drop nothing before you have looked "
    "into migrate_bot.applied, pg_stat_activity and the list of databases.",
    Database.CHANGED: "The migration is in the database.",
}


def gone_silent(run: Run, now: float) -> str:
    """Where the run stood at ``now``, who is needed, and how to go on by hand.

    It is written at the beginning of every step and read up to ten minutes later, perhaps after the bot came back:
    so it says when it was true, and that the bot may have gone further.  Mentions are ids in angle brackets, as Slack
    writes them: ids of the plan's policy and of the keeper, never what people typed.
    """
    who = " ".join(f"<!subteam^{each}>" if each.startswith("S") else f"<@{each}>" for each in sorted(_needed(run)))
    way = "" if run.route is Route.FORWARD else f" of the {run.route} route"
    services = "were stopped" if run.services_down else "were up"
    exercise = "GAME DAY – exercise on a copy\n" if run.plan.exercise else ""
    return (
        f"{exercise}🚨 The migration bot has said nothing for ten minutes. At {utc(now)} run {run.id} stood at step "
        f"{run.position + 1} of {len(run.steps)}{way}, “{run.step.title}”; it may have gone further.\n"
        f"As of then: {_DATABASE[run.database_state]} Services {services}.\n"
        "On the bot's host: `python -m bot migrate status` shows the record, `python -m bot run` goes on from it.\n"
        f"Needed: {who}"
    )


def _needed(run: Run) -> frozenset[str]:
    keeper = {run.keeper.person} if run.state is State.HANDED_OVER and run.keeper else set()
    policy = run.plan.policy
    return frozenset(policy.on_call or policy.owners or policy.approvers) | keeper
