"""Drives a run: describes, begins, does and proves its steps, one after the other, until the next wait.

One job runs steps until people or time are needed.  No transaction is open while a step works.  Every result carries
the claim of its attempt; when the claim is lost (another worker took over, an abort) the step is cancelled.
"""

import asyncio
import difflib
import secrets
from collections.abc import Mapping
from functools import partial

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot import store
from bot.engine import Engine
from bot.ports import Context, Description, Outcome, StepAdapter, StepError, StepPaused, Target
from bot.runbook import intents as i
from bot.runbook.digest import changes, digest_of, inputs_of
from bot.runbook.refusals import AlreadyFinal, Stale
from bot.runbook.run import Blocker, Run, State
from bot.runbook.steps import StepName

_log = structlog.get_logger()


class Driver:
    """Runs the steps of any run, with the adapters and targets it was given."""

    def __init__(self, engine: Engine, adapters: Mapping[StepName, StepAdapter], targets: Mapping[str, Target]) -> None:
        self._engine = engine
        self._adapters = adapters
        self._targets = targets

    async def drive(self, run_id: str) -> None:
        """Do everything that can be done for the run without people or time."""
        while True:
            run = await self._engine.load(run_id)
            with structlog.contextvars.bound_contextvars(run=run_id, step=run.step.name.value):
                if run.state is State.PREPARING:
                    await self._prepare(run)
                elif run.state is State.WORKING:
                    await self._work(run)
                else:
                    return

    async def _prepare(self, run: Run) -> None:
        number, step = run.asked + 1, run.step.name
        try:
            asker = run.step.asked_by or run.step.name
            description = await self._adapters[asker].describe(self._context(run))
        except StepError as error:
            intent: i.Intent = i.CannotAsk(number=number, step=step, problem=error.problem, advice=error.advice)
        except Exception as error:  # noqa: BLE001 - people get a reference, the logs the rest
            advice, reference = _reference(error)
            intent = i.CannotAsk(number=number, step=step, problem=_PROBLEM, advice=advice, reference=reference)
        else:
            diff = await self._difference(run, asker, description)
            inputs = inputs_of(description.inputs)
            undo = self._adapters[asker].undo(self._context(run))
            intent = i.Ask(
                number=number,
                step=step,
                digest=digest_of(inputs),
                inputs=inputs,
                lines=description.lines,
                diff=diff,
                undo=undo,
            )
        await self._say(run.id, intent)

    async def _work(self, run: Run) -> None:
        adapter = self._adapters[run.step.name]
        digest = await self._digest_now(run) if run.step.destructive else ""
        begun = await self._say(run.id, i.Begin(step=run.step.name, attempt=run.attempt + 1, digest=digest))
        if begun is None or begun.state is not State.WORKING or begun.claim is None:
            return
        work = asyncio.create_task(self._attempt(adapter, begun))
        watch = asyncio.create_task(self._until_claim_is_lost(begun))
        await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
        if not work.done():
            work.cancel()
        result = (await asyncio.gather(work, return_exceptions=True))[0]
        if isinstance(result, BaseException):
            if isinstance(result, asyncio.CancelledError):
                _log.info("step.cancelled")
                return
            raise result
        await self._say(run.id, result)

    async def _digest_now(self, run: Run) -> str:
        """The digest of what would run now; empty (and so never approved) if that cannot be said."""
        try:
            description = await self._adapters[run.step.asked_by or run.step.name].describe(self._context(run))
        except StepError as error:
            _log.warning("step.cannot_describe", problem=error.problem)
            return ""
        return digest_of(inputs_of(description.inputs))

    async def _attempt(self, adapter: StepAdapter, run: Run) -> i.Intent:
        """Check, run, verify: the intent that says how it went."""
        claim = run.claim or 0
        context = self._context(run)
        try:
            outcome = await self._done(adapter, context)
        except StepPaused:
            return i.Pause(claim=claim)
        except StepError as error:
            _log.warning("step.failed", problem=error.problem)
            return i.Fail(claim=claim, problem=error.problem, advice=error.advice, database=error.database)
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
        return outcome

    async def _until_claim_is_lost(self, begun: Run) -> None:
        while True:
            await asyncio.sleep(0.5)
            run = await self._engine.load(begun.id)
            if run.claim != begun.claim or run.state is not State.WORKING:
                return

    async def _say(self, run_id: str, intent: i.Intent) -> Run | None:
        try:
            return await self._engine.handle(run_id, intent)
        except (Stale, AlreadyFinal) as error:
            _log.info("intent.stale", intent=type(intent).__name__, why=str(error))
            return None

    def _context(self, run: Run) -> Context:
        async def current() -> Run:
            return await self._engine.load(run.id)

        async def progress(text: str, fraction: float | None) -> None:
            percent = "" if fraction is None else f" ({fraction:.0%})"
            await self._engine.show_progress(run.id, text + percent)

        async def blockers(found: tuple[Blocker, ...]) -> Run:
            return await self._say(run.id, i.SeeBlockers(claim=run.claim or 0, blockers=found)) or await current()

        return Context(
            run=run,
            target=self._targets[run.plan.target],
            attempt=run.attempt,
            current=current,
            progress=progress,
            blockers=blockers,
            log=partial(self._log_line, run),
        )

    async def _log_line(self, run: Run, line: str) -> None:
        """Keep what a step's child said; a store that is away for a moment is no reason to fail the step."""
        try:
            async with self._engine.connection() as conn:
                await store.execute(
                    conn, "log_line", run_id=run.id, step=run.step.name, at=self._engine.now(), line=line[:_LONGEST]
                )
        except (psycopg.OperationalError, PoolTimeout) as error:
            _log.warning("step.log_line_lost", why=str(error), line=line)

    async def _difference(self, run: Run, step: StepName, description: Description) -> tuple[str, ...]:
        """What changed since the step was last asked for, and keep the texts for the next time."""
        async with self._engine.connection() as conn:
            before = {name: body for name, body in await store.rows(conn, "attachments", run_id=run.id, step=step)}
            now = {**description.attachments, _INPUTS: _as_text(description)}
            for name, body in now.items():
                await store.execute(conn, "put_attachment", run_id=run.id, step=step, name=name, body=body)
        if not before:
            return ()
        old_inputs = tuple(_from_text(before.get(_INPUTS, "")))
        found = list(changes(old_inputs, inputs_of(description.inputs)))
        for name in sorted(description.attachments):
            found += _unified(name, before.get(name, ""), description.attachments[name])
        return tuple(found)


_INPUTS = "(inputs)"
_LONGEST = 2000  # characters of one logged line


def _as_text(description: Description) -> str:
    return "\n".join(f"{name}\t{value}" for name, value in inputs_of(description.inputs))


def _from_text(text: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (line.partition("\t") for line in text.splitlines())]


def _unified(name: str, before: str, now: str) -> list[str]:
    return list(
        difflib.unified_diff(before.splitlines(), now.splitlines(), f"asked: {name}", f"now: {name}", lineterm="", n=1)
    )


_PROBLEM = "Something went wrong that the bot has no name for."


def _reference(error: Exception) -> tuple[str, str]:
    """An error nobody thought of: advice for people with a reference, under which the logs have the rest."""
    reference = "E-" + secrets.token_hex(4)
    _log.error("step.unexpected", reference=reference, exc_info=error)
    return f"Look for {reference} in the bot's logs; then retry, or take the run over by hand.", reference
