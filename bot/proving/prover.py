"""All looks of a plan at once: each with its own limit, none able to stop the others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.ports import Found, StepError
from bot.proving.subject import Files, Look, Looked, Looks, Subject, wrong
from bot.runbook.preparation.checklist import Item, Proof
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.risk import RiskReport
from bot.runbook.run import Plan
from bot.target import Target

_log = structlog.get_logger()
READ_SECONDS = 4.0  # local files; more means that their disk does not answer
_AGAIN = "The bot looks again by itself; if it stays so, see its logs."
Read = Callable[[Target, Plan], Awaitable[Files]]
Judge = Callable[[Target, tuple[str, ...]], Awaitable[RiskReport]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One look: the items that it answers, and for how many seconds it may work."""

    items: tuple[Item, ...]
    look: Look
    seconds: float


class BoundedProver:
    """``Prover`` over the given looks.  ``read`` brings the files first; everything else works side by side.

    The whole takes at most ``READ_SECONDS`` and the longest part.
    """

    def __init__(
        self,
        *,
        targets: Mapping[str, Target],
        read: Read,
        judge: Judge,
        parts: tuple[Part, ...],
        judge_seconds: float = 10.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._targets = targets
        self._read = read
        self._judge = judge
        self._parts = parts
        self._judge_seconds = judge_seconds
        self._now = now

    async def prove(self, preparation: Preparation) -> Found:
        """See ``Prover``."""
        plan = preparation.draft.plan
        target = self._targets.get(plan.target)
        if target is None:
            gone = f"The target {plan.target} is no longer configured; put it back, or cancel this plan."
            everything = {item: wrong(gone) for part in self._parts for item in part.items}
            return self._found(preparation, Files(unreadable=gone), everything, None)
        files = await self._files(target, plan)
        subject = Subject(plan=preparation.id, target=target, draft=preparation.draft, files=files, now=self._now())
        risk, answers = await asyncio.gather(
            self._risk(subject), asyncio.gather(*(_looked(part, subject) for part in self._parts))
        )
        looks: dict[Item, Looked] = dict(files.looks)
        for each in answers:
            looks |= each
        return self._found(preparation, files, looks, risk)

    def _found(self, preparation: Preparation, files: Files, looks: Looks, risk: RiskReport | None) -> Found:
        """The proofs, each about the files as they were just read."""
        about, at = replace(preparation, files=files.digest), self._now()
        proofs = tuple(
            Proof(item=item, ok=each.ok, findings=each.findings, at=at, basis=about.basis_of(item))
            for item, each in looks.items()
        )
        texts = tuple((each.name, each.text) for each in (*files.migrations, *files.down))
        return Found(files=files.digest, proofs=proofs, risk=risk, texts=texts, unreadable=files.unreadable)

    async def _files(self, target: Target, plan: Plan) -> Files:
        items = (Item.SQL, Item.SCRIPTS, Item.ROLLBACK_SCRIPTS)
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await self._read(target, plan)
        except TimeoutError:
            why = f"The migration files could not be read within {READ_SECONDS:.0f} s. {_AGAIN}"
        except Exception as error:  # noqa: BLE001 - whatever it was, the files were not read, and that is said
            why = _failure("files", error)
        return Files(unreadable=why, looks={item: wrong(why) for item in items})

    async def _risk(self, subject: Subject) -> RiskReport | None:
        """``None`` where there is nothing to judge or the judge failed: then the item stays open."""
        if not subject.files.digest:
            return None
        try:
            async with asyncio.timeout(self._judge_seconds):
                return await self._judge(subject.target, subject.draft.plan.migrations)
        except Exception as error:  # noqa: BLE001 - likewise
            _failure("risk", error)
            return None


async def _looked(part: Part, subject: Subject) -> Looks:
    """What one part found; a part that fails or takes too long has not shown anything to be true."""
    try:
        async with asyncio.timeout(part.seconds):
            return await part.look(subject)
    except TimeoutError:
        why = f"This could not be looked at within {part.seconds:.0f} s. {_AGAIN}"
    except Exception as error:  # noqa: BLE001 - likewise
        why = _failure(", ".join(part.items), error)
    return {item: wrong(why) for item in part.items}


def _failure(what: str, error: Exception) -> str:
    """Only a ``StepError`` is worded for people; any other text could quote a secret."""
    if isinstance(error, StepError):
        return f"{error.problem} {error.advice}".strip()
    _log.warning("proving.failed", what=what, error=type(error).__name__, exc_info=error)
    return f"This could not be looked at ({type(error).__name__}). {_AGAIN}"
