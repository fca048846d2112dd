"""A backup step that also has Render export the database: a second backup, off the bot's own disk."""

from collections.abc import Mapping
from dataclasses import replace

from bot.ports import Context, Description, Outcome, StepAdapter
from bot.runbook.samples import Verdict
from integrations.render.api import RenderApi
from integrations.render.database import Databases, Export
from integrations.render.site import Site


class WithExport:
    """``first``, and after it an export, for the targets named in ``of`` (target -> its databases and its ``dpg-…``).

    Render keeps an export for 7 days.  Its address is a secret, so only its id goes into the record.
    """

    def __init__(self, first: StepAdapter, of: Mapping[str, tuple[Databases, str]]) -> None:
        self._first = first
        self._of = of

    async def describe(self, context: Context) -> Description:
        """What the first does, and of which database Render makes the export."""
        found = await self._first.describe(context)
        if context.target.name not in self._of:
            return found
        _, postgres = self._of[context.target.name]
        line = f"Then Render exports {postgres}: a second backup, kept there for 7 days."
        return replace(found, inputs={**found.inputs, "export": postgres}, lines=(*found.lines, line))

    async def check(self, context: Context) -> Outcome | None:
        """Done when both are there."""
        outcome = await self._first.check(context)
        if outcome is None or context.target.name not in self._of:
            return outcome
        made = await self._made(context)
        return _with(outcome, made) if made else None

    async def run(self, context: Context) -> Outcome:
        """The first, unless it is there already; then the export, unless this run has one."""
        outcome = await self._first.check(context) or await self._first.run(context)
        if context.target.name not in self._of:
            return outcome
        databases, postgres = self._of[context.target.name]
        await context.progress("Waiting for Render's export", None)
        return _with(outcome, await self._made(context) or await databases.export(postgres))

    async def verify(self, context: Context, outcome: Outcome) -> Verdict:
        """The first's own proof; Render's export cannot be checked without fetching it."""
        return await self._first.verify(context, outcome)

    def undo(self, context: Context) -> str:
        return self._first.undo(context)

    async def _made(self, context: Context) -> Export | None:
        """A finished export that was begun after the run."""
        databases, postgres = self._of[context.target.name]
        since = context.run.started_at
        return next((e for e in await databases.exports(postgres) if e.url and e.begun_after(since)), None)


def exports_of(sites: Mapping[str, Site]) -> Mapping[str, tuple[Databases, str]]:
    """The targets whose backup has an export, too."""
    wanted = {name: site for name, site in sites.items() if site.export}
    return {name: (Databases(RenderApi(s.client(), s.patience)), s.postgres) for name, s in wanted.items()}


def _with(outcome: Outcome, export: Export) -> Outcome:
    return replace(
        outcome,
        evidence=(*outcome.evidence, f"Second backup: Render's export {export.id} of {export.created}, not restored"),
        facts={**outcome.facts, "render_export": export.id},
    )
