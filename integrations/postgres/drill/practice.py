"""One rehearsal as the steps' own code needs it: a run that is in no ledger, and names that tell what is the bot's.

Whatever it makes beside the database is named like a run's copies, of a run called ``drill-<plan>``, and says of itself
all its life that it is half-made: so nothing else is ever taken for it, or dropped in its place.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bot.ports import Context, StepError
from bot.runbook.run import Blocker, Done, Plan, Run, State
from bot.runbook.steps import Route, StepName
from bot.target import Target
from integrations.postgres.beside import FAILED, RESTORED, STANDBY, Names, beside, dsn_of, live_of
from integrations.postgres.connect import masked

PREFIX = "drill-"
Progress = Callable[[str, float | None], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Practice:
    """``target`` is the real one but for its backups folder, which is the rehearsal's own and goes with it."""

    target: Target
    run: Run
    progress: Progress

    @property
    def backups(self) -> Path:
        """Where the target's real backups are."""
        return self.target.backups.parent

    @property
    def names(self) -> Names:
        """``side`` is the copy."""
        context = self.at(StepName.BACKUP)
        return Names(live=live_of(context), side=beside(context, RESTORED), failed=beside(context, FAILED))

    @property
    def stand_in(self) -> Names:
        """The same copy switched into the place of a database that nobody needs."""
        return replace(self.names, live=beside(self.at(StepName.BACKUP), STANDBY))

    @property
    def copy_dsn(self) -> str:
        return dsn_of(self.at(StepName.BACKUP), self.names.side)

    def at(self, step: StepName) -> Context:
        """The context of one step, on the live database."""
        position = [each.name for each in self.run.steps].index(step)
        run = replace(self.run, position=position)

        async def current() -> Run:
            return run

        async def blockers(_: tuple[Blocker, ...]) -> Run:
            return run

        return Context(
            run=run, target=self.target, attempt=1, current=current, progress=self.progress, blockers=blockers
        )  # fmt: skip

    def on_copy(self, step: StepName) -> Context:
        """The context of one step, on the copy."""
        return replace(self.at(step), target=replace(self.target, dsn=self.copy_dsn))

    def having(self, step: StepName, facts: dict[str, str]) -> "Practice":
        """The same once that step is done."""
        done = Done(step=step, began_at=0.0, ended_at=0.0, facts=tuple(facts.items()))
        return replace(self, run=replace(self.run, done=(*self.run.done, done)))


def practice_of(
    target: Target, migrations: tuple[str, ...], down: tuple[str, ...], name: str, progress: Progress
) -> Practice:
    """A rehearsal called ``name``; ``StepError`` where that cannot be part of a name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", name):
        raise StepError(f"“{name}” cannot name a rehearsal.", "Use letters, digits, dots and dashes, at most 40.")
    plan = Plan(
        target=target.name, database=target.database, name=name, purpose="rehearsal", migrations=migrations, down=down,
        starter="", starter_name="", channel=target.channel, policy=target.policy,
    )  # fmt: skip
    run = Run(
        id=f"{PREFIX}{name}", plan=plan, version=1, state=State.WORKING, route=Route.FORWARD, position=0,
        started_at=0.0, since=0.0,
    )  # fmt: skip
    folder = target.backups.absolute() / f".drill-{hashlib.sha256(masked(target.dsn).encode()).hexdigest()[:12]}"
    return Practice(target=replace(target, backups=folder), run=run, progress=progress)
