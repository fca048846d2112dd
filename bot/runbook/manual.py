"""Critical workflows that only a person can try (runbook step 7): asked of named people, before and after."""

from dataclasses import dataclass
from enum import StrEnum


class Moment(StrEnum):
    """When a workflow is tried."""

    BEFORE = "before"  # how it is before the first change
    AFTER = "after"  # with the migration in, while the services are watched


@dataclass(frozen=True, kw_only=True)
class ManualCheck:
    """``ask`` is what the person is to do; ``people`` are user ids and user-group ids."""

    name: str
    ask: str
    people: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody found; ``note`` says what is broken."""

    check: str
    moment: Moment
    works: bool
    person: str
    name: str
    at: float
    note: str = ""
