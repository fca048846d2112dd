"""What is to be done about a migration that failed, proven by the schema; pure.  What it cannot prove, people decide.

Each statement's effect is known from the model.  The schema as it is now says of each: it is in, it is not, or neither
fits.  Statements run in their order, and a file without transactions of its own is one transaction in PostgreSQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.runbook.criteria import sql_error
from integrations.postgres.catalog import Catalog, difference, fingerprint
from integrations.postgres.prisma.history import Row
from integrations.postgres.prisma.model import Model, objects
from integrations.postgres.prisma.said import failure, sqlstate
from integrations.postgres.script import Script
from integrations.postgres.statements import Statement
from integrations.postgres.words import plural

_CHANGES_ROWS = ("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "copy_stmt", "do_stmt", "call_stmt",
                 "select_stmt", "truncate_stmt", "execute_stmt")  # fmt: skip


class Remedy(StrEnum):
    """Exactly one is proposed."""

    RETRY = "retry"
    ROLLED_BACK = "resolve --rolled-back"
    APPLIED = "resolve --applied"
    FINISH = "finish"
    GO_BACK = "roll back"
    PEOPLE = "people"


class Seen(StrEnum):
    """What the schema says of one statement."""

    IN = "in"
    OUT = "not in"
    HALF = "neither as before nor as it is to be"
    UNSEEN = "not to be seen in the schema"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is proposed for one failed migration, and why.  ``rest``: statements to be finished, from 0."""

    migration: str
    remedy: Remedy
    proof: str
    rest: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """The proposal for people."""
        what = {
            Remedy.RETRY: "apply it again",
            Remedy.ROLLED_BACK: f"mark {self.migration} as rolled back (migrate resolve --rolled-back), then apply it "
            "anew",
            Remedy.APPLIED: f"mark {self.migration} as applied (migrate resolve --applied), and go on",
            Remedy.FINISH: f"run the rest of {self.migration} ({_numbers(self.rest)}), then mark it as applied",
            Remedy.GO_BACK: "go back (/migrate rollback)",
            Remedy.PEOPLE: f"none: {self.migration} has to be settled by hand, then prisma migrate resolve",
        }[self.remedy]
        return f"Proposed: {what}. Proof: {self.proof}."

    @property
    def can_be_done(self) -> bool:
        """Does a retried step carry it out?"""
        return self.remedy in (Remedy.ROLLED_BACK, Remedy.APPLIED, Remedy.FINISH)


def examine(row: Row, script: Script, model: Model, now: Catalog, *, same_bytes: bool) -> Finding:
    """One remedy with its proof.  ``same_bytes``: is the file still the one that was begun?"""
    if fingerprint(now) == fingerprint(model.states[0]):
        return _untouched(row, script, model, same_bytes=same_bytes)
    if not same_bytes:
        return _people(row, "the file was edited since, and the schema is not as it was before")
    if model.stopped and len(model.states) <= len(script.statements):
        number = len(model.states)
        return _people(row, f"statement {number} cannot be done on an empty copy of the schema ({model.stopped})")
    if foreign := _foreign(model, now):
        return _people(row, f"the schema differs in what the migration does not touch: {'; '.join(foreign[:4])}")
    return _by_statements(row, script, statements_seen(model, now))


def statements_seen(model: Model, now: Catalog) -> tuple[Seen, ...]:
    """Of each statement: is its effect there?"""
    states = [dict(objects(each)) for each in model.states]
    here = dict(objects(now))
    return tuple(_seen(states, number, here) for number in range(1, len(states)))


def failure_of(row: Row) -> tuple[str, str]:
    """SQLSTATE and words of the error that Prisma saw; empty when it saw none (it was killed, or lost)."""
    return sqlstate(row.logs), failure(["Error:", *row.logs.splitlines()])


def at_first(finding: Finding, row: Row, script: Script, error: str, text: str) -> Finding:
    """Right after the failure: finishing what fails by itself would fail again."""
    if finding.remedy is Remedy.FINISH and not sql_error(error, text).ok:
        number = finding.rest[0] + 1
        proof = f"{finding.proof}; statement {number} of {len(script.statements)} fails by itself: {text}"
        return Finding(migration=row.name, remedy=Remedy.GO_BACK, proof=proof)
    return finding


def _untouched(row: Row, script: Script, model: Model, *, same_bytes: bool) -> Finding:
    """The schema is as before.  Was there anything to see?"""
    _, text = failure_of(row)
    seen = statements_seen(model, model.states[0])
    visible = Seen.OUT in seen
    hidden = _hidden_first(script, seen)
    if script.outside and hidden:
        return _people(row, f"{_numbers(hidden)} may have changed rows outside one transaction, and no schema shows it")
    if visible and same_bytes:
        whole = "" if script.outside else ", and the file is one transaction: all or nothing"
        proof = f"the schema is exactly as before it, none of its effects is there{whole}"
        return Finding(migration=row.name, remedy=Remedy.ROLLED_BACK, proof=proof)
    if row.logs and not script.outside:
        proof = f"PostgreSQL refused it ({text}), the file is one transaction, and the schema is exactly as before it"
        return Finding(migration=row.name, remedy=Remedy.ROLLED_BACK, proof=proof)
    if visible:
        return _people(row, "the schema is as before it, but the file was edited since it was begun")
    return _people(row, "it changes rows only, and Prisma did not hear how it ended: no schema shows whether it is in")


def _by_statements(row: Row, script: Script, seen: tuple[Seen, ...]) -> Finding:
    """All in, a first part in, or nothing that fits."""
    told = _told(seen)
    if Seen.HALF in seen:
        return _people(row, told)
    last_in = max((n for n, each in enumerate(seen) if each is Seen.IN), default=-1)
    first_out = min((n for n, each in enumerate(seen) if each is Seen.OUT), default=len(seen))
    if last_in < 0 and not _hidden_first(script, seen):
        proof = f"{told}; the invalid index that it left behind is dropped first"
        return Finding(migration=row.name, remedy=Remedy.ROLLED_BACK, proof=proof)
    if first_out < last_in:
        return _people(row, f"{told}: not in the order in which statements run")
    unsure = [n for n in range(last_in + 1, first_out) if script.statements[n].kind in _CHANGES_ROWS]
    if first_out == len(seen) and not script.outside:
        return Finding(migration=row.name, remedy=Remedy.APPLIED, proof=f"{told}, and the file is one transaction")
    if unsure:
        return _people(row, f"{told}; {_numbers(unsure)} may or may not have changed rows")
    rest = tuple(n for n in range(last_in + 1, len(seen)) if _does_something(script.statements[n]))
    if not rest:
        return Finding(migration=row.name, remedy=Remedy.APPLIED, proof=told)
    return Finding(migration=row.name, remedy=Remedy.FINISH, proof=told, rest=rest)


def _does_something(statement: Statement) -> bool:
    return not statement.setting and statement.kind != "transaction_stmt"


def _seen(states: Sequence[dict[tuple[str, str], str]], number: int, here: dict[tuple[str, str], str]) -> Seen:
    """Objects that the statement changes: as it, or a later one, leaves them; or as they were before it."""
    before, after = states[number - 1], states[number]
    touched = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
    votes = set()
    for each in touched:
        earlier = {state.get(each) for state in states[:number]}
        later = {state.get(each) for state in states[number:]}
        value = here.get(each)
        if value in earlier and value in later:
            continue
        invalid = value is not None and value.endswith(" (invalid)") and before.get(each) is None
        votes.add(Seen.IN if value in later else Seen.OUT if value in earlier or invalid else Seen.HALF)
    if not votes:
        return Seen.UNSEEN
    return votes.pop() if len(votes) == 1 else Seen.HALF


def _foreign(model: Model, now: Catalog) -> tuple[str, ...]:
    """Differences from before in objects that no statement touches."""
    touched = {name for state in model.states[1:] for name in _changed(model.states[0], state)}

    def rest(catalog: Catalog) -> Catalog:
        return {
            kind: {name: text for name, text in named.items() if (kind, name) not in touched}
            for kind, named in catalog.items()
        }

    return difference(rest(model.states[0]), rest(now))


def _changed(before: Catalog, after: Catalog) -> set[tuple[str, str]]:
    old, new = dict(objects(before)), dict(objects(after))
    return {each for each in old.keys() | new.keys() if old.get(each) != new.get(each)}


def _hidden_first(script: Script, seen: tuple[Seen, ...]) -> list[int]:
    """Statements that may have changed rows before the first whose effect would show."""
    first = next((n for n, each in enumerate(seen) if each is Seen.OUT), len(script.statements))
    return [n for n in range(min(first, len(script.statements))) if script.statements[n].kind in _CHANGES_ROWS]


def _told(seen: tuple[Seen, ...]) -> str:
    parts = []
    for kind in (Seen.IN, Seen.OUT, Seen.HALF):
        if numbers := [n for n, each in enumerate(seen) if each is kind]:
            parts.append(f"{_numbers(numbers)} of {len(seen)} {'is' if len(numbers) == 1 else 'are'} {kind}")
    return "by the schema " + ", ".join(parts) if parts else "the schema shows nothing of it"


def _people(row: Row, why: str) -> Finding:
    return Finding(migration=row.name, remedy=Remedy.PEOPLE, proof=why)


def _numbers(numbers: Sequence[int]) -> str:
    """``statements 2–4``, counted from 1."""
    if not numbers:
        return plural(0, "statement")
    if len(numbers) == 1:
        return f"statement {numbers[0] + 1}"
    if list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"statements {numbers[0] + 1}–{numbers[-1] + 1}"
    return f"statements {', '.join(str(each + 1) for each in numbers)}"
