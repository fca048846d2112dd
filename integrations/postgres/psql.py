"""One file through psql: stopped at the first error, in one transaction where that can be, timed out at every lock.

The bytes come by standard input, so what runs is what was read and hashed, whatever happens to the file meanwhile.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.ports import Context
from integrations.postgres.connect import connection_env, secrets_of
from integrations.postgres.markers import insert_statement
from integrations.postgres.own import note_statement
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.tools import Tools
from integrations.process import Exit, Redactor, base_env, run_child
from integrations.spoken import ending, spoken

LOCK_NOT_AVAILABLE = "55P03"
_ERROR = re.compile(r"^(?:psql:(?:<stdin>:(?P<line>\d+):)? )?\S+:  (?P<state>[0-9A-Z]{5}): (?P<text>.*)$")
_VALUES = re.compile(r"=\(.*?\)(?= |$|\.)")
# A statement whose client has died ends by itself (PostgreSQL 14+ where the platform can tell); elsewhere we end it.
CONNECTION_CHECK = (
    "DO $$ BEGIN PERFORM pg_catalog.set_config('client_connection_check_interval', '{}', false); "
    "EXCEPTION WHEN OTHERS THEN NULL; END $$"
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why psql stopped: SQLSTATE ("" if none was given), words without people's data, line and statement."""

    state: str
    text: str
    line: int = 0
    statement: int | None = None  # from 0

    @property
    def lock(self) -> bool:
        return self.state == LOCK_NOT_AVAILABLE


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a file runs and what its transaction ends with: the target, the run's marker, nothing more, by default."""

    dsn: str = ""
    run: str = ""  # the run its marker names
    also: tuple[str, ...] = ()  # statements for the same transaction


HERE = Place()


async def run_psql(
    context: Context, tools: Tools, script: Script, *, lock_timeout: float, limits: Limits, place: Place = HERE
) -> Failure | None:
    """Run a file with its marker; ``None`` when psql says it went well. Times are seconds."""
    env, more = connection_env(place.dsn or context.target.dsn)
    async with spoken(context, f"{shown(tools, script)} (lock_timeout {lock_timeout:g} s)") as say:
        ended = await run_child(
            [*_command(context, tools, script, lock_timeout, limits, place), *more],
            env=base_env() | env | {"PGAPPNAME": context.application_name, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C"},
            cwd=Path("/"), on_line=lambda line: say(without_values(line)), time_limit=None, stdin=script.data,
            redactor=Redactor(secrets_of(context.target.dsn)),
        )  # fmt: skip
        say(f"psql {ending(ended)}")
    return None if ended.ok else _failure(script, ended)


def shown(tools: Tools, script: Script) -> str:
    """The command as people read it."""
    one = "" if script.outside else " --single-transaction"
    return f"{tools.path('psql')} -X -v ON_ERROR_STOP=1{one} -f {script.name}"


def _command(
    context: Context, tools: Tools, script: Script, lock_timeout: float, limits: Limits, place: Place
) -> Sequence[str]:
    one = [] if script.outside else ["--single-transaction"]
    quiet = ["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-o", "/dev/null"]
    word = "SET" if script.outside else "SET LOCAL"
    before = [
        CONNECTION_CHECK.format(limits.connect_check),
        f"{word} lock_timeout = {int(lock_timeout * 1000)}",
        f"{word} statement_timeout = {int(context.target.statement_timeout * 1000)}",
        "SET standard_conforming_strings = on",
    ]
    run = place.run or context.run.id
    notes = [insert_statement(run, script), note_statement(run, script), *place.also]
    after = [] if script.outside else ["RESET ROLE", *notes]
    if tools.can_restrict:  # no backslash command can run between the two, whatever the file holds
        key = secrets.token_hex(16)
        before, after = [*before, rf"\restrict {key}"], [rf"\unrestrict {key}", *after]
    flags = [part for each in before for part in ("-c", each)]
    ending = [part for each in after for part in ("-c", each)]
    return [tools.path("psql"), *quiet, *one, *flags, "-f", "-", *ending]


def _failure(script: Script, ended: Exit) -> Failure:
    for number, printed in enumerate(ended.tail):
        found = _ERROR.match(printed)
        if found and found["state"][:2] not in ("00", "01", "02"):  # notices and warnings
            line = int(found["line"] or 0)
            text = f"{found['text']}{_detail(ended.tail[number + 1 :])}"
            statement = script.at_line(line) if line else None
            return Failure(state=found["state"], text=text, line=line, statement=statement)
    said = " ".join(ended.tail[-3:]) or f"psql ended with code {ended.code} and said nothing"
    return Failure(state="", text=said)


def _detail(following: Sequence[str]) -> str:
    """PostgreSQL's DETAIL without the values of the row, which are people's data."""
    for each in following[:4]:
        if each.startswith("DETAIL:"):
            return " " + without_values(each.removeprefix("DETAIL:").strip())
    return ""


def without_values(line: str) -> str:
    """A line of PostgreSQL's without the values of a key."""
    return _VALUES.sub("=(…)", line)
