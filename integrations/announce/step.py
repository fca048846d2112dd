"""``Announce``: a step whose message the outbox posts when the step has finished."""

from collections.abc import Awaitable, Callable

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.samples import Verdict
from bot.runbook.steps import StepName

#: Which way back will be taken, described: ``inputs`` with at least ``rung``, and ``lines`` for people.
Ladder = Callable[[Context], Awaitable[Description]]

Starting = Callable[[Context], Awaitable[None]]

ROLLBACK_LINES = (
    "Stop the services, go back to the state before the migration, verify it, restart the services.",
    "What was written to the database since the backup is lost where the backup is restored.",
)


class Announce:
    """Every ``announce_*`` step.

    The words are posted, once, by the outbox in the transaction's wake that records the step as finished: people
    are told what is true.  Under ``announce_rollback`` the question of the whole rollback is described; ``ladder``
    says which rung.  ``starting`` is done before the maintenance is announced: what ran before the run is written
    down while nothing has been touched, also where no service will be stopped.
    """

    def __init__(self, *, ladder: Ladder | None = None, starting: Starting | None = None) -> None:
        self._ladder = ladder
        self._starting = starting

    async def describe(self, context: Context) -> Description:
        """The announcement; before a rollback, everything that its one approval covers."""
        if context.run.step.asked_by is StepName.ANNOUNCE_ROLLBACK:  # the later steps of the way back ask here, too
            return await self._rollback(context)
        return Description(
            inputs={"target": context.target.name, "channel": _channel(context), "step": context.run.step.name.value},
            lines=(f"{context.run.step.title}, in this channel.",),
        )

    async def check(self, context: Context) -> Outcome | None:
        """Never known here: the outbox posts one message per step, however often the step is done."""
        return None

    async def run(self, context: Context) -> Outcome:
        """Nothing is posted yet: finishing the step is what posts it."""
        if self._starting is not None and context.run.step.name is StepName.ANNOUNCE_START:
            await self._starting(context)
        return Outcome(evidence=("Announced in this channel",))

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """True by construction: the message is queued with the record of the step."""
        return Verdict(ok=True, reason="The message is posted with the record of this step.")

    def undo(self, context: Context) -> str:
        """A message that people have read stays read; a rollback can be looked at, and turned round by a person."""
        if context.run.step.asked_by is StepName.ANNOUNCE_ROLLBACK:
            return "Nothing is dropped: a database that is replaced is kept under another name and can be renamed back."
        return "An announcement cannot be taken back; a later one corrects it."

    async def _rollback(self, context: Context) -> Description:
        backup = context.run.fact(StepName.BACKUP, "manifest_sha256")
        if backup is None:
            raise StepError(
                "This run has no backup with a manifest to go back to.",
                "Hand the run over to a person who decides how to go back.",
            )
        way = await self._ladder(context) if self._ladder else _plain()
        return Description(
            inputs={**way.inputs, "target": context.target.name, "backup": backup},
            lines=(f"Roll back {context.target.name} (backup {backup[:8]}).", *way.lines),
            attachments=way.attachments,
            rung=way.rung,
            options=way.options,
        )


def _plain() -> Description:
    """Without a ladder there is one rung: the runbook's restore."""
    return Description(inputs={"rung": "restore the backup of this run"}, lines=ROLLBACK_LINES)


def _channel(context: Context) -> str:
    return "#" + context.run.plan.channel.removeprefix("#")
