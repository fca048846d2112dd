"""What a migration left behind: the ledger, the database, the backups, the processes and the channel."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import psutil
import psycopg
from psycopg import sql

from bot import ledger, store
from bot.demo import cast
from bot.runbook.run import Run
from integrations.postgres.catalog import fingerprint, read_catalog
from integrations.postgres.connect import session
from integrations.postgres.manifest import damage, read_manifest
from tests.e2e.troupe import Production

# An attempt may be made again, one measurement more taken, and the database noted at another moment.
REPEATED = ("StepBegan", "Sampled", "BaselineTaken", "DatabaseNoted")
LIVELY = "audit_log"  # and its partitions: the services themselves write there all the time
_FIGURES = re.compile(
    r"\b[0-9a-f]{7,}\b…?|m-\w{6}|\d[\d:.,]*( ?(ms|s|min|h|hours?|minutes?|seconds?)\b)?|less than a \w+"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The same for a killed run as for one left alone; every field says by its value that nothing was done twice."""

    state: str
    events: tuple[str, ...]
    finished: tuple[str, ...]
    approvals: Mapping[str, int]
    applied: tuple[tuple[str, str], ...]
    schema: str
    databases: tuple[str, ...]
    rows: Mapping[str, int]
    backups: tuple[str, ...]
    services: Mapping[str, int]
    children: int
    sessions: int
    said: Mapping[str, int]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    stale: tuple[str, ...]
    cards: int
    pinned: int
    scheduled: int


def difference(expected: Outcome, actual: Outcome) -> list[str]:
    """Field by field, for people; of counted things only those whose count differs."""
    pairs = [(field.name, getattr(expected, field.name), getattr(actual, field.name)) for field in fields(Outcome)]
    return [
        f"{name}: expected {_beside(one, other)}, was {_beside(other, one)}"
        for name, one, other in pairs
        if one != other
    ]


def _beside(one: object, other: object) -> object:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {name: count for name, count in one.items() if other.get(name) != count}
    return one


async def look(made: Production, run: Run) -> Outcome:
    """Everything as it is now.  Raises ``LedgerError`` when the chain is broken."""
    await ledger.verify(made.engine, run.id)
    async with made.engine.connection() as conn:
        entries = await store.entries(conn, run.id)
        letters = await (await conn.execute(_LETTERS)).fetchall()
    events = [json.loads(each.body) | {"kind": each.kind} for each in entries]
    channel = _Channel(made, run, letters)
    async with session(made.casework.owner_dsn, "campaign") as db:
        schema = fingerprint(await read_catalog(db))
    return Outcome(
        state=run.state.value,
        events=tuple(each.kind for each in entries if each.kind not in REPEATED),
        finished=tuple(each["step"] for each in events if each["kind"] == "StepFinished"),
        approvals=Counter(
            f"{each['number']} {each['approval']['person']}" for each in events if each["kind"] == "Approved"
        ),
        applied=await _applied(made),
        schema=schema,
        databases=await _databases(made, run),
        rows=await _rows(made),
        backups=tuple([await _backup(made, run, name) for name in _files(made)]),
        services=await asyncio.to_thread(_services, made),
        children=await asyncio.to_thread(_children, made),
        sessions=len(await _query(made, _SESSIONS)),
        said=channel.said(),
        lost=channel.lost(),
        doubled=channel.doubled(),
        stale=channel.stale(),
        cards=sum(key.endswith(":card") for key in channel.keys),
        pinned=len(made.workspace.core.messages.pins[cast.ENGINEERING]),
        scheduled=len(made.workspace.core.scheduled),
    )


_LETTERS = "select coalesce('file:' || file_name, key), payload, ts from letters order by seq"
_SESSIONS = """
select pid from pg_stat_activity where datname = current_database() and application_name like 'migrate%'
"""


def _masked(text: str) -> str:
    """Without figures; one that is said in two parts, like 1 minute 5 seconds, is one."""
    return re.sub(r"\b0( 0)+\b", "0", _FIGURES.sub("0", text))


_AS_IT_HAPPENS = ("stepbegan", "databasenoted")  # attempts are begun again; charts come as often as status posts do
_SIZES = "There are no statistics of"  # said of large tables only, and a transaction cut short leaves its rows behind


class _Channel:
    """What the bot said, against what the outbox holds."""

    def __init__(self, made: Production, run: Run, letters: list[tuple[Any, ...]]) -> None:
        self._run = run
        self._database = made.casework.name
        self._letters = letters
        self._messages = [each for each in made.workspace.messages(cast.ENGINEERING) if _key(each)]
        self.keys = [_key(each) for each in self._messages]
        self.others = len(made.workspace.messages(cast.ENGINEERING)) - len(self._messages)

    def said(self) -> Mapping[str, int]:
        """Each message's kind and first line without its figures; attempts may be begun again."""
        texts = [(_kind(_key(each)), each["text"].splitlines()[0]) for each in self._messages]
        lines = [
            _masked(f"{kind}: {text.replace(self._database, 'casework')}")
            for kind, text in texts
            if kind not in _AS_IT_HAPPENS and not kind.endswith(".png") and _SIZES not in text
        ]
        return Counter([*lines, *["(no key)"] * self.others])

    def lost(self) -> tuple[str, ...]:
        return tuple(key for key, *_ in self._letters if key not in self.keys)

    def doubled(self) -> tuple[str, ...]:
        return tuple(key for key, count in Counter(self.keys).items() if count > 1)

    def stale(self) -> tuple[str, ...]:
        """Messages that look otherwise than the outbox says."""
        by_key = dict(zip(self.keys, self._messages, strict=True))
        wanted = {key: payload for key, payload, _ in self._letters if key in by_key}
        return tuple(_kind(key) for key, payload in wanted.items() if payload["text"] != by_key[key]["text"])


def _key(message: Mapping[str, Any]) -> str:
    """A letter's key; a file has none but its name."""
    if message.get("files"):
        return f"file:{message['files'][0]['name']}"
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("key", ""))


def _kind(key: str) -> str:
    return key.rpartition(":")[2]


async def _applied(made: Production) -> tuple[tuple[str, str], ...]:
    """The marks of files; a database that was switched in may never have had any."""
    if not (await _query(made, "select to_regclass('migrate_bot.applied') is not null"))[0][0]:
        return ()
    return await _query(made, "select file, state from migrate_bot.applied order by 1")


async def _databases(made: Production, run: Run) -> tuple[str, ...]:
    """The target's and those beside it, and whether each takes connections."""
    found = await _query(made, "select datname, datallowconn from pg_database order by 1")
    ours = ((name, is_open) for name, is_open in found if name.startswith(made.casework.name))
    return tuple(f"{name.replace(made.casework.name, 'casework').replace(run.id, 'RUN')} {o}" for name, o in ours)


async def _query(made: Production, query: str) -> tuple[Any, ...]:
    async with await psycopg.AsyncConnection.connect(made.casework.superuser_dsn) as db:
        return tuple(await (await db.execute(query.encode())).fetchall())


async def _rows(made: Production) -> Mapping[str, int]:
    tables = await _query(
        made, "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    async with await psycopg.AsyncConnection.connect(made.casework.superuser_dsn) as db:
        counts = {}
        for (table,) in sorted(tables):
            if not table.startswith(LIVELY):
                found = await db.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table)))
                counts[table] = (await found.fetchone() or (0,))[0]
        return counts


def _files(made: Production) -> list[str]:
    return sorted(path.name for path in made.target.backups.iterdir())


async def _backup(made: Production, run: Run, name: str) -> str:
    if name != run.id:
        return f"foreign: {name.replace(run.id, 'RUN')}"
    manifest, digest = read_manifest(made.target.backups / name)
    recorded = run.fact(next(each.step for each in run.done if each.step == "backup"), "manifest_sha256")
    whole = await damage(made.target.backups / name, manifest) is None and digest == recorded
    return "this run's, whole, as recorded" if whole else "this run's, damaged"


def _services(made: Production) -> Mapping[str, int]:
    """Living processes of each service; more than one would be a second start."""
    ports = {service.name: service.health_url.split(":")[2].partition("/")[0] for service in made.target.services}
    running = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])]
    return {
        name: sum("bot.demo.sample_app" in line and port in line for line in running) for name, port in ports.items()
    }


def _children(made: Production) -> int:
    """pg_dump, psql and the like that outlived their worker."""
    lines = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
    return sum(str(made.folder) in line for line in lines)
