"""The corpus judged and run: where the check and the server disagree, and the figures of it."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bot.demo import casework as sample
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.run import Risk
from integrations.postgres.connect import session
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.facts import read_facts
from integrations.postgres.risk.model import UNKNOWN, Assessment, Lock
from integrations.postgres.script import Script, read_script
from tests.integrations.postgres.risk.oracle import Truth, in_transaction, outside, picture

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
TEMPLATE = "risk_base"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One migration: what was said of it and what it did."""

    name: str
    said: Assessment
    did: Truth

    @property
    def locks(self) -> dict[str, Lock]:
        """The strongest lock said of each relation, over all statements."""
        found: dict[str, Lock] = {}
        for each in self.said.statements:
            for name, mode in each.locks.items():
                found[name] = max(mode, found.get(name, mode))
        return found

    @property
    def rewrites(self) -> set[str]:
        return {name for each in self.said.statements for name in each.rewrites}

    @property
    def scans(self) -> set[str]:
        """Read whole, or written anew."""
        return {name for each in self.said.statements for name in {*each.scans, *each.rewrites}}

    @property
    def judged(self) -> bool:
        return not any(each.unjudged for each in self.said.statements)

    @property
    def complaints(self) -> list[str]:
        """Every difference, in words."""
        found = []
        if bool(self.did.lost) != self.said.destructive:
            found.append(f"destructive: said {self.said.destructive}, lost {list(self.did.lost)}")
        mine = self.locks
        for name in sorted({*mine, *self.did.locks} if UNKNOWN not in mine else ()):
            if mine.get(name) != self.did.locks.get(name):
                found.append(f"lock on {name}: said {_word(mine.get(name))}, was {_word(self.did.locks.get(name))}")
        if UNKNOWN not in mine and self.rewrites != self.did.rewritten:
            found.append(f"rewrite: said {sorted(self.rewrites)}, was {sorted(self.did.rewritten)}")
        if not _scans_agree(self):
            found.append(f"read whole: said {sorted(self.scans)}, was {sorted(self.did.scanned)}")
        return found


def _word(mode: Lock | None) -> str:
    return mode.words if mode else "nothing"


def inside(script: Script) -> bool:
    """Can one transaction of ours hold it?  One that only brings its own BEGIN and COMMIT can."""
    return all(not each.outside or each.kind == "transaction_stmt" for each in script.statements)


def corpus() -> list[Script]:
    """Every migration of the folder."""
    return [read_script(CORPUS, each.name) for each in sorted(CORPUS.glob("*.sql"))]


@asynccontextmanager
async def base(pg: EmbeddedPostgres) -> AsyncIterator[str]:
    """The base schema with its rows, as a template; its name."""
    await sample.create_database(pg, TEMPLATE, owner="postgres")
    try:
        await sample.run_script(pg.dsn(TEMPLATE), HERE / "base.sql", one_transaction=False)
        yield TEMPLATE
    finally:
        await sample.drop_database(pg, TEMPLATE)


async def run_corpus(pg: EmbeddedPostgres, scripts: Sequence[Script]) -> list[Case]:
    """Each on the base, those that commit by themselves on a copy of their own."""
    async with base(pg) as name:
        async with session(pg.dsn(name), "risk") as db:
            facts = await read_facts(db)
        held = [each for each in scripts if inside(each)]
        found = await _run_inside(pg.dsn(name), held)
        found |= {each.name: await _run_outside(pg, name, each) for each in scripts if not inside(each)}
        return [Case(name=each.name, said=assess([each], facts), did=found[each.name]) for each in scripts]


async def _run_inside(dsn: str, scripts: Sequence[Script]) -> dict[str, Truth]:
    async with await psycopg.AsyncConnection.connect(dsn) as db, await _eye(dsn) as eye:
        before = await picture(eye)
        return {each.name: await in_transaction(db, eye, before, each) for each in scripts}


async def _eye(dsn: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(dsn, autocommit=True)


async def _run_outside(pg: EmbeddedPostgres, name: str, script: Script) -> Truth:
    copy = f"risk_{secrets.token_hex(4)}"
    await sample.create_database(pg, copy, owner="postgres", template=name)
    try:
        return await outside(pg.dsn(copy), script)
    finally:
        await sample.drop_database(pg, copy)


def figures(cases: Sequence[Case]) -> dict[str, object]:
    """Recall and precision of destructiveness, the share of locks and rewrites said rightly, and of false High."""
    lost = [each for each in cases if each.did.lost]
    alarmed = [each for each in cases if each.said.destructive]
    harmless = [each for each in cases if not each.did.lost]
    pairs = [
        (each.locks.get(name), each.did.locks.get(name))
        for each in cases if UNKNOWN not in each.locks for name in {*each.locks, *each.did.locks}
    ]  # fmt: skip
    exact = [each for each in cases if UNKNOWN in each.locks or each.locks == each.did.locks]
    return {
        "cases": len(cases),
        "destructive": {
            "recall": _share(sum(each.said.destructive for each in lost), len(lost)),
            "precision": _share(sum(bool(each.did.lost) for each in alarmed), len(alarmed)),
        },
        "lock": {
            "accuracy": _share(sum(one is two for one, two in pairs), len(pairs)),
            "files": _share(len(exact), len(cases)),
            "pairs": len(pairs),
            "unjudged": sum(UNKNOWN in each.locks for each in cases),
        },
        "rewrite": {"accuracy": _share(sum(each.rewrites == each.did.rewritten for each in cases), len(cases))},
        "scan": {"accuracy": _share(sum(_scans_agree(each) for each in cases), len(cases))},
        "high": {
            "false_positive_rate": _share(sum(each.said.level is Risk.HIGH for each in harmless), len(harmless)),
            "harmless": len(harmless),
        },
    }


def _scans_agree(case: Case) -> bool:
    """Whatever was read under a lock that keeps writers waiting was said to be."""
    blocking = {name for name in case.did.scanned if case.did.locks.get(name, Lock.ACCESS_SHARE).stops_writing}
    written = {name for each in case.said.statements for name, mode in each.locks.items() if mode is Lock.ROW_EXCLUSIVE}
    return blocking - written <= case.scans or not case.judged


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def table(cases: Sequence[Case]) -> str:
    """For people: each disagreement, a line."""
    lines = [f"{each.name}: {complaint}" for each in cases for complaint in each.complaints]
    failed = [f"{each.name}: does not run: {each.did.failed}" for each in cases if each.did.failed]
    return "\n".join([*failed, *lines]) or "no disagreement"
