"""Drives a run: describes, begins, does and proves its steps, one after the other, until the next wait.

One job runs steps until people or time are needed.  No transaction is open while a step works.  Every result carries
the claim of its attempt; when the claim is lost (another worker took over, an abort) the step is cancelled.
"""

import asyncio
import difflib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot import store
from bot.engine import Engine
from bot.logs import referenced
from bot.ports import Commands, Context, Description, Outcome, StepAdapter, StepError, StepPaused
from bot.runbook import intents as i
from bot.runbook.digest import changes, digest_of, inputs_of
from bot.runbook.fixes import LONGER_BY, PATIENCE, Fix
from bot.runbook.refusals import AlreadyFinal, Stale
from bot.runbook.run import Blocker, Database, Run, State
from bot.runbook.steps import Route, StepName
from bot.target import Target

_log = structlog.get_logger()
T = TypeVar("T")
NoReturn = Callable[[Context], Awaitable[str]]  # the point-of-no-return line of a run, as of now


async def unknown_return(_context: Context) -> str:
    """Says nothing: where no database is at hand to ask."""
    return ""


class Driver:
    """Runs the steps of any run, with the adapters and targets it was given."""

    def __init__(
        self,
        engine: Engine,
        adapters: Mapping[StepName, StepAdapter],
        targets: Mapping[str, Target],
        no_return: NoReturn = unknown_return,
        commands: Mapping[str, Commands] | None = None,
    ) -> None:
        self._engine = engine
        self._adapters = adapters
        self._targets = targets
        self._no_return = no_return
        self._commands = commands or {}

    async def drive(self, run_id: str) -> None:
        """Do everything that can be done for the run without people or time."""
        going_on = True
        while going_on:
            run = await self._engine.load(run_id)
            with structlog.contextvars.bound_contextvars(run=run_id, step=run.step.name.value):
                if run.state is State.PREPARING:
                    going_on = await self._prepare(run)
                elif run.state is State.WORKING:
                    going_on = await self._work(run)
                else:
                    return

    async def _prepare(self, run: Run) -> bool:
        """Describe the step and ask for it; false when somebody else did."""
        number, step = run.asked + 1, run.step.name
        description: Description | None = None
        try:
            asker = run.step.asked_by or run.step.name
            description = await self._adapters[asker].describe(self._context(run))
            intent: i.Intent = await self._question(run, asker, description)
        except StepError as error:
            intent = i.CannotAsk(number=number, step=step, problem=error.problem, advice=error.advice)
        except Exception as error:  # noqa: BLE001 - people get a reference, the logs the rest
            advice, reference = _reference(error)
            intent = i.CannotAsk(number=number, step=step, problem=_PROBLEM, advice=advice, reference=reference)
        taken = await self._say(run.id, intent)
        if taken is not None and isinstance(intent, i.Ask) and description is not None:
            await self._keep(run.id, asker, description)
        return taken is not None

    async def _question(self, run: Run, asker: StepName, description: Description) -> i.Ask:
        inputs = inputs_of(description.inputs)
        return i.Ask(
            number=run.asked + 1,
            step=run.step.name,
            digest=digest_of(inputs),
            inputs=inputs,
            lines=description.lines,
            diff=await self._difference(run.id, asker, description),
            undo=self._adapters[asker].undo(self._context(run)),
            texts=tuple((name, _shown(body)) for name, body in sorted(description.attachments.items())),
            no_return=await self._no_return(self._context(run)) if _irreversible(run) else "",
            rung=description.rung,
            options=description.options,
            destroys=description.destroys,
            risk=description.risk,
            dangers=description.dangers,
        )

    async def _work(self, run: Run) -> bool:
        """Begin the step and do it; false when it was, or is now, in somebody else's hands."""
        digest, problem = await self._digest_now(run) if run.step.destructive else ("", "")
        begin = i.Begin(step=run.step.name, attempt=run.attempt + 1, digest=digest, problem=problem)
        begun = await self._say(run.id, begin)
        if begun is None:
            return False
        if begun.state is not State.WORKING or begun.claim is None:
            return True
        result = await self._until_done_or_lost(begun)
        return result is not None and await self._say(run.id, result) is not None

    async def _until_done_or_lost(self, begun: Run) -> i.Intent | None:
        """How the attempt went; ``None`` when its claim was lost.  Nothing of it outlives this call."""
        work = asyncio.create_task(self._attempt(self._adapters[begun.step.name], begun))
        watch = asyncio.create_task(self._until_claim_is_lost(begun))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            _log.info("step.claim_lost")
            return None
        finally:
            work.cancel()
            watch.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)

    async def _digest_now(self, run: Run) -> tuple[str, str]:
        """The digest of what would run now, or why that cannot be said."""
        try:
            description = await self._adapters[run.step.asked_by or run.step.name].describe(self._context(run))
        except StepError as error:
            return "", error.problem
        except Exception as error:  # noqa: BLE001 - people get a reference, the logs the rest
            return "", f"{_PROBLEM} {_reference(error)[0]}"
        return digest_of(inputs_of(description.inputs)), ""

    async def _attempt(self, adapter: StepAdapter, run: Run) -> i.Intent:
        """Check, run, verify: the intent that says how it went."""
        claim = run.claim or 0
        try:
            outcome = await self._done(adapter, self._context(run))
        except StepPaused:
            return i.Pause(claim=claim)
        except StepError as error:
            _log.warning("step.failed", problem=error.problem)
            return i.Fail(
                claim=claim, problem=error.problem, advice=error.advice, database=error.database,
                criterion=error.criterion, fixes=error.fixes,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - people get a reference, the logs the rest
            advice, reference = _reference(error)
            return i.Fail(claim=claim, problem=_PROBLEM, advice=advice, reference=reference)
        return i.Finish(claim=claim, evidence=outcome.evidence, facts=inputs_of(outcome.facts))

    async def _done(self, adapter: StepAdapter, context: Context) -> Outcome:
        outcome = await adapter.check(context)
        if outcome is None:
            self._engine.checkpoint("effect", context.run.step.name)
            outcome = await adapter.run(context)
            self._engine.checkpoint("effected", context.run.step.name)
        verdict = await adapter.verify(context, outcome)
        if not verdict.ok:
            raise StepError(verdict.reason, "Look at the logs with /migrate logs, then retry or abort.")
        return replace(outcome, evidence=(*outcome.evidence, verdict.reason))

    async def _until_claim_is_lost(self, begun: Run) -> None:
        """Returns only when the ledger says so: a store that is away for a moment ends no step."""
        while True:
            await asyncio.sleep(0.5)
            run = await patiently(lambda: self._engine.load(begun.id))
            if run.claim != begun.claim or run.state is not State.WORKING:
                return

    async def _say(self, run_id: str, intent: i.Intent) -> Run | None:
        """Hand an intent back; ``None`` when it came too late to count.  Said again, it would be refused as stale."""
        try:
            return await patiently(lambda: self._engine.handle(run_id, intent))
        except (Stale, AlreadyFinal) as error:
            _log.info("intent.stale", intent=type(intent).__name__, why=str(error))
            return None

    def _context(self, run: Run) -> Context:
        async def current() -> Run:
            return await patiently(lambda: self._engine.load(run.id))

        async def progress(text: str, fraction: float | None) -> None:
            percent = "" if fraction is None else f" ({fraction:.0%})"
            try:
                await self._engine.show_progress(run.id, run.claim, text + percent)
            except STORE_AWAY as error:
                _log.warning("step.progress_lost", why=str(error))

        async def blockers(found: tuple[Blocker, ...]) -> Run:
            return await self._say(run.id, i.SeeBlockers(claim=run.claim or 0, blockers=found)) or await current()

        return Context(
            run=run,
            target=fixed(self._targets[run.plan.target], run.fixes),
            attempt=run.attempt,
            current=current,
            progress=progress,
            blockers=blockers,
            log=partial(self._log_line, run),
            commands=self._commands.get(run.plan.target),
        )

    async def _log_line(self, run: Run, line: str) -> None:
        """Keep what a step's child said; a store that is away for a moment is no reason to fail the step."""
        try:
            async with self._engine.connection() as conn:
                await store.execute(
                    conn, "log_line", run_id=run.id, step=run.step.name, at=self._engine.now(), line=line[:_LONGEST]
                )
        except STORE_AWAY as error:
            _log.warning("step.log_line_lost", why=str(error), line=line)

    async def _difference(self, run_id: str, step: StepName, description: Description) -> tuple[str, ...]:
        """What changed since the step was last asked for."""
        async with self._engine.connection() as conn:
            before = {name: body for name, body in await store.rows(conn, "attachments", run_id=run_id, step=step)}
        if not before:
            return ()
        asked = tuple((str(name), str(value)) for name, value in json.loads(before[_INPUTS]))
        found = list(changes(asked, inputs_of(description.inputs)))
        if another_way := [each for each in found if each.startswith("rung: ")]:
            return tuple(another_way)  # everything else differs because of that
        for name in sorted(description.attachments):
            found += _unified(name, before.get(name, ""), description.attachments[name])
        return tuple(found)

    async def _keep(self, run_id: str, step: StepName, description: Description) -> None:
        """Keep the texts behind a question that was asked, for the next difference."""
        inputs = json.dumps(inputs_of(description.inputs))
        async with self._engine.connection() as conn:
            for name, body in {**description.attachments, _INPUTS: inputs}.items():
                await store.execute(conn, "put_attachment", run_id=run_id, step=step, name=name, body=body)


_INPUTS = "(inputs)"
_SHOWN = 6000  # characters of each file that go into the question; the rest is said to be missing
_LONGEST = 2000  # characters of one logged line
STORE_AWAY = (psycopg.OperationalError, PoolTimeout)


async def patiently(ask: Callable[[], Awaitable[T]], *, seconds: float = 60.0) -> T:
    """Ask the store again while it is away: a restart of it is no reason to stop a migration half-way."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await ask()
        except STORE_AWAY as error:
            if time.monotonic() > deadline:
                raise
            _log.warning("store.away", why=str(error))
            await asyncio.sleep(0.5)


def fixed(target: Target, fixes: tuple[Fix, ...]) -> Target:
    """The target as a step shall see it, after what people have chosen for one that failed."""
    longer, patient = LONGER_BY ** fixes.count(Fix.LONGER), PATIENCE if Fix.WHEN_FREE in fixes else 0.0
    return replace(target, statement_timeout=target.statement_timeout * longer, lock_patience=patient)


def _irreversible(run: Run) -> bool:
    """From the first step that does not undo itself, every question of the way forward says what undoing takes."""
    begun = run.step.name is StepName.APPLY or run.database_state is not Database.UNTOUCHED
    return run.route is Route.FORWARD and begun


def _shown(body: str) -> str:
    if len(body) <= _SHOWN:
        return body
    kept = body[:_SHOWN].rpartition("\n")[0] or body[:_SHOWN]
    return f"{kept}\n… and {len(body) - len(kept):,} more characters: read the rest in the file itself"


def _unified(name: str, before: str, now: str) -> list[str]:
    return list(
        difflib.unified_diff(before.splitlines(), now.splitlines(), f"asked: {name}", f"now: {name}", lineterm="", n=1)
    )


_PROBLEM = "Something went wrong that the bot has no name for."


def _reference(error: Exception) -> tuple[str, str]:
    """An error nobody thought of: advice for people with a reference, under which the logs have the rest."""
    reference = referenced("step.unexpected", error)
    return f"Look for {reference} in the bot's logs; then retry, or take the run over by hand.", reference
