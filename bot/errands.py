"""What there is to do for a run, as durable jobs: their names, and which of them exclude each other."""

from bot.ports import Job
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.run import Run


def driving(run: Run) -> Job:
    """Run steps until the next wait; one driver per target."""
    return Job(name="drive", run_id=run.id, lock=f"target:{run.plan.target}", once=f"drive:{run.id}")


def publishing(run_id: str) -> Job:
    """Deliver what the outbox holds for a run."""
    return Job(name="publish", run_id=run_id, lock=f"publish:{run_id}", once=f"publish:{run_id}")


def speaking_up(run_id: str) -> Job:
    """Leave the message that speaks if the bot cannot, as of the step that has just begun."""
    return Job(name="deadman", run_id=run_id, lock=f"deadman:{run_id}", once=f"deadman:{run_id}")


def proving(plan: Preparation) -> Job:
    """Look at everything of a plan that the bot can prove; in the stage STARTING, begin its run after that."""
    return Job(name="prove", run_id=plan.id, lock=f"prove:{plan.id}", once=f"prove:{plan.id}")


def rehearsing(plan: Preparation) -> Job:
    """Rehearse a plan on a copy; one rehearsal per target."""
    lock = f"rehearse:{plan.draft.plan.target}"
    return Job(name="rehearse", run_id=plan.id, lock=lock, once=f"rehearse:{plan.id}")


def following(run_id: str) -> Job:
    """Begin what follows a completed run."""
    return Job(name="follow", run_id=run_id, lock=f"follow:{run_id}", once=f"follow:{run_id}")


def analyzing(run_id: str) -> Job:
    """Gather the statistics that somebody asked for."""
    return Job(name="analyze", run_id=run_id, lock=f"analyze:{run_id}", once=f"analyze:{run_id}")


def notifying(run_id: str, medium: str) -> Job:
    """Tell one outside medium what waits for it; no medium waits for another."""
    name = f"notify:{run_id}:{medium}"
    return Job(name="notify", run_id=run_id, lock=name, once=name, arguments={"medium": medium})
