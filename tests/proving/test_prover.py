"""All looks at once: bounded, apart from each other, and about the files as they are."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo.casework import Casework
from bot.engine import Engine
from bot.ports import StepError
from bot.proving.keeper import TrafficKeeper
from bot.proving.prover import BoundedProver, Part
from bot.proving.subject import File, Files, Looks, Subject, fine
from bot.runbook.people import Person, Policy
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.standing import Standing, status
from bot.runbook.risk import RiskReport
from bot.runbook.run import Plan, Risk
from bot.target import Target
from bot.wiring import prover
from tests.fakes import FakePlatform
from tests.kit import backstage, ready, target
from tests.proving.looks import SmallCalendar, SmallProbe
from tests.runbook.preparation.people import ALEX, T0, after, draft, planned

RISK = RiskReport(level=Risk.LOW, reasons=("nothing",))
SQL = File(name="001.sql", sha256="a" * 64, text="select 1;")


async def read(_target: Target, _plan: Plan) -> Files:
    return Files(migrations=(SQL,), digest="d1", looks={Item.SCRIPTS: fine("there")})


async def judge(_target: Target, _names: tuple[str, ...]) -> RiskReport:
    return RISK


async def window(_subject: Subject) -> Looks:
    return {Item.WINDOW: fine("quiet")}


async def access(_subject: Subject) -> Looks:
    return {Item.ACCESS: fine("may")}


async def for_ever(_subject: Subject) -> Looks:
    await asyncio.Event().wait()
    return {}


async def broken(_subject: Subject) -> Looks:
    raise ValueError("postgresql://u:top-secret@h/db")


async def refused(_subject: Subject) -> Looks:
    raise StepError("It does not answer.", "Mend it.")


def small(*parts: Part, **changes: object) -> BoundedProver:
    given = {"targets": {"casework": target()}, "read": read, "judge": judge, "parts": parts, "now": lambda: T0}
    return BoundedProver(**{**given, **changes})  # type: ignore[arg-type]


async def test_each_proof_is_about_the_files_as_just_read() -> None:
    """Not about those that the plan had before; the texts are handed on for the reviewer."""
    part = Part(items=(Item.WINDOW, Item.ACCESS), look=window, seconds=5)
    old = replace(planned(), files="d0")

    found = await small(part).prove(old)

    basis = {each.item: each.basis for each in found.proofs}
    assert {Item.SCRIPTS: "d1", Item.WINDOW: old.when} == basis
    assert ("d1", RISK, (("001.sql", "select 1;"),), "") == (found.files, found.risk, found.texts, found.unreadable)


async def test_one_that_hangs_and_one_that_breaks_keep_no_other_from_answering() -> None:
    """They have shown nothing; what they raise is not told, for it may hold a secret."""
    found = await small(
        Part(items=(Item.WINDOW,), look=window, seconds=5),
        Part(items=(Item.BACKUP,), look=for_ever, seconds=0.05),
        Part(items=(Item.ACCESS,), look=broken, seconds=5),
        Part(items=(Item.STAGING,), look=refused, seconds=5),
    ).prove(planned())

    proofs = {each.item: each for each in found.proofs}
    assert proofs[Item.WINDOW].ok
    assert [False] * 3 == [proofs[each].ok for each in (Item.BACKUP, Item.ACCESS, Item.STAGING)]
    assert "could not be looked at within 0 s" in proofs[Item.BACKUP].findings[0]
    assert "could not be looked at (ValueError)" in proofs[Item.ACCESS].findings[0]
    assert ("It does not answer. Mend it.",) == proofs[Item.STAGING].findings
    assert "top-secret" not in str(found)


async def test_all_work_side_by_side() -> None:
    """Two that wait for each other both answer."""
    met = asyncio.Barrier(2)

    def waiting(look: Callable[[Subject], Awaitable[Looks]]) -> Callable[[Subject], Awaitable[Looks]]:
        async def both(about: Subject) -> Looks:
            await met.wait()
            return await look(about)

        return both

    found = await small(
        Part(items=(Item.WINDOW,), look=waiting(window), seconds=5),
        Part(items=(Item.ACCESS,), look=waiting(access), seconds=5),
    ).prove(planned())

    assert all(each.ok for each in found.proofs)


async def test_files_that_cannot_be_read() -> None:
    """No digest, no risk, and the reason."""

    async def unread(_target: Target, _plan: Plan) -> Files:
        raise StepError("The folder is away.", "Mount it.")

    found = await small(read=unread).prove(planned())

    assert ("", None, "The folder is away. Mount it.") == (found.files, found.risk, found.unreadable)
    assert {Item.SQL, Item.SCRIPTS, Item.ROLLBACK_SCRIPTS} == {each.item for each in found.proofs}
    assert not any(each.ok for each in found.proofs)


async def test_a_judge_that_fails_leaves_the_risk_open() -> None:
    """Never low by mistake."""

    async def failing(_target: Target, _names: tuple[str, ...]) -> RiskReport:
        raise ValueError

    assert (await small(judge=failing).prove(planned())).risk is None


async def test_a_target_that_is_no_longer_configured() -> None:
    """Everything fails, with what to do."""
    found = await small(Part(items=(Item.WINDOW,), look=window, seconds=5), targets={}).prove(planned())

    assert "no longer configured" in found.unreadable
    assert [False] == [each.ok for each in found.proofs]


class Known:
    """A directory of one."""

    async def person(self, user_id: str, policy: Policy) -> Person:
        return ALEX


async def test_the_assembled_prover_on_a_real_database(casework: Casework, store_dsn: str, tmp_path: Path) -> None:
    """All ten items that it looks at, and where they then stand on the plan."""
    (tmp_path / "001.sql").write_text("alter table cases add column urgency int;\n")
    own = replace(target(tmp_path), dsn=casework.owner_dsn, policy=Policy(approvers=frozenset({"U1"})))
    made = draft()
    wanted = replace(made, plan=replace(made.plan, database=casework.name, migrations=("001.sql",), down=()))
    await ready(store_dsn)
    async with backstage(store_dsn) as stage:
        proving = prover(
            {"casework": own}, _pool(stage.engine), FakePlatform(), SmallProbe(), Known(), calendar=SmallCalendar()
        )

        plan = planned(of=wanted)
        found = await proving.prove(plan)
        again = await proving.prove(plan)

    assert found.files == again.files != ""
    assert found.risk is not None
    assert {
        Item.CREDENTIALS, Item.ACCESS, Item.BACKUP, Item.STAGING, Item.WINDOW, Item.ON_CALL, Item.PLATFORM, Item.SQL,
        Item.SCRIPTS, Item.ROLLBACK_SCRIPTS,
    } == {each.item for each in found.proofs}  # fmt: skip
    shown = after(plan, i.ProofsFound(files=found.files, proofs=found.proofs, risk=found.risk), T0 - 86400)
    standing = {each.item: status(shown, each.item).standing for each in found.proofs}
    unproven = {item for item, each in standing.items() if each is not Standing.PROVEN}
    assert {Item.STAGING, Item.WINDOW, Item.ON_CALL} == unproven, found.proofs
    assert Standing.OPEN is standing[Item.STAGING]


def _pool(engine: Engine):  # type: ignore[no-untyped-def] - the pool's own type has five parameters
    return engine._pool


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


async def test_counts_are_kept_a_minute_apart_and_for_two_months(dsn: str) -> None:
    """Each target its own; the count of this moment is always among them."""
    time, counter = [1000.0], [0]

    async def count(_target: Target) -> tuple[int, str]:
        counter[0] += 5
        return counter[0], "since"

    async with backstage(dsn) as stage:
        keeper = TrafficKeeper(_pool(stage.engine), count, lambda: time[0])
        one, two = target(), replace(target(), name="other")
        seen = []
        for at in (1000.0, 1030.0, 1070.0):
            time[0] = at
            seen.append([each.at for each in await keeper(one)])
        other = await keeper(two)
        time[0] = 1070.0 + 57 * 86400
        late = await keeper(one)

    assert [[1000.0], [1000.0, 1030.0], [1000.0, 1070.0]] == seen
    assert 1 == len(other)
    assert [time[0]] == [each.at for each in late]
