"""What there is to do for a run, as durable jobs: their names, and which of them exclude each other."""

from bot.ports import Job
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
