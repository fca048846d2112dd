"""A backup step that damages the backup once it is made and proven: for game days that ask for it, and no other run."""

from collections.abc import Callable
from pathlib import Path

from bot.ports import Context, Description, Outcome, StepAdapter
from bot.runbook.samples import Verdict


class Damaged:
    """``first``, and then the fault, where ``wanted(context)`` says so of an exercise."""

    def __init__(self, first: StepAdapter, wanted: Callable[[Context], bool]) -> None:
        self._first = first
        self._wanted = wanted

    async def describe(self, context: Context) -> Description:
        return await self._first.describe(context)

    async def check(self, context: Context) -> Outcome | None:
        return await self._first.check(context)

    async def run(self, context: Context) -> Outcome:
        return await self._first.run(context)

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """The real proof; only then one byte of the backup's largest file is turned over."""
        verdict = await self._first.verify(context, outcome)
        if verdict.ok and context.run.plan.exercise and self._wanted(context):
            damage(Path(outcome.facts["folder"]), within=context.target.backups)
        return verdict

    def undo(self, context: Context) -> str:
        return self._first.undo(context)


def damage(folder: Path, *, within: Path) -> None:
    """Turn one byte over in the largest file; refuses a backup that is not the exercise's own."""
    if within.resolve() not in folder.resolve().parents or not within.resolve().parent.name.startswith(".gameday-"):
        raise ValueError(f"{folder} is not an exercise's backup.")
    file = max((each for each in folder.rglob("*.dat*") if each.is_file()), key=lambda each: each.stat().st_size)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
