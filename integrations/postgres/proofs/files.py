"""The planned files: are they there, whole, and can PostgreSQL's own parser read every statement of them?"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.ports import StepError
from bot.proving.subject import File, Files, Looked, fine, wrong
from bot.runbook.digest import digest_of_files
from bot.runbook.preparation.checklist import Item
from bot.runbook.run import Plan
from bot.target import StandbyPolicy, Target
from integrations.postgres.parser import postgast
from integrations.postgres.script import Script, read_migration
from integrations.postgres.words import human_bytes, plural

_CONFLICT = re.compile(r"(?m)^(?:<{7}|>{7}|\|{7}) ")  # git writes a name after each of these
_CUT_OFF = ("at end of input", "unterminated")


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A file as far as it could be read; ``problem`` and ``advice`` where it is not what may be run."""

    name: str
    script: Script | None = None
    problem: str = ""
    advice: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(each for each in (f"{self.problem} {self.advice}".strip(),) if each)


async def read_files(target: Target, plan: Plan) -> Files:
    """Everything of the plan that is a file, read once."""
    return await asyncio.to_thread(_files, target, plan)


def _files(target: Target, plan: Plan) -> Files:
    up = [_read(target, name) for name in plan.migrations]
    down = [_read(target, name) for name in plan.down]
    everything = (*up, *down)
    missing = [line for each in everything if each.script is None for line in each.said]
    looks = {
        Item.SCRIPTS: _scripts(up),
        Item.ROLLBACK_SCRIPTS: _rollback(down, target),
        Item.SQL: _sql(everything),
    }
    listed, back = _listed(up), _listed(down)
    whole = not missing and bool(up)
    return Files(
        migrations=listed,
        down=back,
        digest=digest_of_files(_sums(listed), _sums(back)) if whole else "",
        unreadable="\n".join(missing),
        looks=looks,
    )


def _read(target: Target, name: str) -> _Read:
    try:
        script = read_migration(target, name)
    except StepError as error:
        return _Read(name=name, problem=error.problem, advice=error.advice)
    if conflict := _CONFLICT.search(script.text):
        line = script.text.count("\n", 0, conflict.start()) + 1
        return _Read(
            name=name, script=script,
            problem=f"{name}, line {line}: the mark of a merge conflict.", advice="Resolve it and save the file whole.",
        )  # fmt: skip
    if any(each in script.trouble for each in _CUT_OFF):
        return _Read(
            name=name, script=script,
            problem=f"{name} ends in the middle of a statement ({script.trouble}).", advice="Save the file whole.",
        )  # fmt: skip
    if not script.trouble and not script.statements:
        return _Read(
            name=name, script=script,
            problem=f"{name} holds no statement.", advice="Write the migration into it, or plan without it.",
        )  # fmt: skip
    return _Read(name=name, script=script)


def _scripts(read: list[_Read]) -> Looked:
    names = [each.name for each in read]
    if not names or len(set(names)) != len(names):
        return wrong("The plan names no migration file, or one of them twice; edit the plan.")
    if problems := _problems(read):
        return wrong(*problems)
    return fine(*_sizes(read))


def _rollback(read: list[_Read], target: Target) -> Looked:
    if not read:
        ways = "the backup" if target.standby is StandbyPolicy.NONE else "the standby copy or the backup"
        return fine(f"There is no DOWN script: the way back is {ways}")
    if problems := _problems(read):
        return wrong(*problems)
    return fine(*_sizes(read))


def _sql(read: Iterable[_Read]) -> Looked:
    """A file that cannot be read at all is not validated either."""
    found = list(read)
    unread = [line for each in found if each.script is None for line in each.said]
    scripts = [each.script for each in found if each.script is not None]
    bad = [_place(each) for each in scripts if each.trouble]
    if unread or bad or not scripts:
        return wrong(*bad, *unread) if unread or bad else wrong("There is no SQL to read; edit the plan.")
    count = sum(len(each.statements) for each in scripts)
    ends = [f"⚠️ {each.name}: its last statement has no semicolon; is the file whole?" for each in scripts
            if not _ended(each)]  # fmt: skip
    said = f"{plural(count, 'statement')} in {plural(len(scripts), 'file')} read by PostgreSQL's own parser"
    return fine(said, *ends)


def _place(script: Script) -> str:
    """File, line and what the parser says; it counts characters from 1."""
    try:
        postgast.parse(script.text)
    except postgast.PgQueryError as error:
        line = script.text.count("\n", 0, max(0, int(error.cursorpos or 1) - 1)) + 1
        return f"{script.name}, line {line}: {script.trouble}. Mend its syntax."
    return f"{script.name}: {script.trouble}. Mend its syntax."


def _ended(script: Script) -> bool:
    last = script.statements[-1].text if script.statements else ""
    return not last or script.text.rpartition(last)[2].lstrip().startswith(";")


def _problems(read: list[_Read]) -> list[str]:
    return [line for each in read for line in each.said]


def _sizes(read: list[_Read]) -> list[str]:
    return [
        f"{each.name}: {human_bytes(len(each.script.data))}, sha256 {each.script.sha256[:12]}…"
        for each in read
        if each.script is not None
    ]


def _listed(read: list[_Read]) -> tuple[File, ...]:
    return tuple(
        File(name=each.name, sha256=each.script.sha256, text=each.script.text)
        for each in read
        if each.script is not None
    )


def _sums(files: tuple[File, ...]) -> list[tuple[str, str]]:
    return [(each.name, each.sha256) for each in files]
