"""Why a run cannot start: who holds the target, since when, and what to do about it."""

from bot.runbook.refusals import TargetBusy
from bot.runbook.run import Run, State
from bot.runbook.wording import one_line, utc


def busy(target: str, other: Run | None) -> TargetBusy:
    """The refusal; ``other`` is the active run of ``target``, or ``None`` if it has ended in this very moment."""
    if other is None:
        return TargetBusy(f"Another migration of {target} has ended in this very moment.", "Send it again.")
    plan = other.plan
    keeper = other.keeper if other.state is State.HANDED_OVER else None
    held = f", and is in the hands of {one_line(keeper.name, 80)}" if keeper else ""
    return TargetBusy(
        f"{target} is being migrated: “{one_line(plan.name, 75)}” (run {other.id}) was started by"
        f" {one_line(other.executor_name, 80)} at {utc(other.started_at)}{held}.",
        f"Type /migrate status {other.id} to see it; a new one can start when it has ended.",
        people=frozenset({keeper.person if keeper else other.executor}),
    )
