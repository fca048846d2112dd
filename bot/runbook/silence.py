"""What the channel is told when the bot itself falls silent: written ahead, posted by the channel's own scheduler."""

from bot.runbook.run import Run, State
from bot.runbook.steps import StepName

_BY_HAND: dict[StepName, str] = {
    StepName.BACKUP: "Nothing was changed yet. Check whether pg_dump still runs; services are up.",
    StepName.STOP_SERVICES: "Services may be down; the database was not changed. Start them again or go on by hand.",
    StepName.APPLY: "Do not apply anything again: first look into migrate_bot.applied and pg_stat_activity.",
    StepName.VERIFY: "The migration is in. Check the schema, then start the services if they are down.",
    StepName.RESTART_SERVICES: "Start the services and check their health endpoints.",
    StepName.MONITOR: "Services are up. Watch error rate and response times yourself.",
    StepName.GO_BACK: "Do not drop anything: the database before and after are both on the server.",
}


def gone_silent(run: Run) -> str:
    """Where the run stood, who is needed and how to go on by hand; true even if read after the bot came back.

    Mentions are ids in angle brackets, as Slack writes them: they come from the configuration, never from people.
    """
    who = " ".join(f"<!subteam^{each}>" if each.startswith("S") else f"<@{each}>" for each in sorted(_needed(run)))
    by_hand = _BY_HAND.get(run.step.name, "Nothing destructive was under way.")
    services = "Services are down." if run.services_down else "Services are up."
    return (
        f"🚨 The migration bot has said nothing for ten minutes. Run {run.id} stood at step "
        f"{run.position + 1} of {len(run.steps)}, “{run.step.title}”. {services}\n"
        f"By hand: {by_hand}\n"
        "On the bot's host: `python -m bot migrate status` shows the record, and `python -m bot run` goes on from it.\n"
        f"Needed: {who}"
    )


def _needed(run: Run) -> frozenset[str]:
    keeper = {run.keeper.person} if run.state is State.HANDED_OVER and run.keeper else set()
    policy = run.plan.policy
    return frozenset(policy.on_call or policy.owners or policy.approvers) | keeper
