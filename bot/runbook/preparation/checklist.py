"""The runbook's "Pre-Migration Checklist": its 28 items in their five groups, word for word.

Each item says who can show it to be true.  What the bot can prove, it proves; only where it has no means to (nothing
configured to ask) may a person tick instead.
"""

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """The five headings."""

    TESTING = "Testing and Validation"
    BACKUP = "Backup and Safety"
    COMMUNICATION = "Communication and Coordination"
    ENVIRONMENT = "Environment Preparation"
    RISK = "Risk Assessment"


class Item(StrEnum):
    """One name per item."""

    LOCAL = "local"
    STAGING = "staging"
    SUITE = "suite"
    SMOKE = "smoke"
    PERFORMANCE = "performance"
    REVIEW = "review"
    BACKUP = "backup"
    BACKUP_VERIFIED = "backup_verified"
    BACKUP_STORED = "backup_stored"
    ROLLBACK_TESTED = "rollback_tested"
    DOWN = "down"
    NOTIFIED = "notified"
    ANNOUNCED = "announced"
    WINDOW = "window"
    ON_CALL = "on_call"
    INCIDENT_TEAM = "incident_team"
    SUPPORT = "support"
    SQL = "sql"
    CREDENTIALS = "credentials"
    PLATFORM = "platform"
    SCRIPTS = "scripts"
    ROLLBACK_SCRIPTS = "rollback_scripts"
    ACCESS = "access"
    RISK = "risk"
    DOWNTIME = "downtime"
    FEATURES = "features"
    DEADLINE = "deadline"
    CONTINGENCY = "contingency"


class Shown(StrEnum):
    """Who shows an item to be true."""

    BOT = "bot"  # the bot proves it; a person may tick only where the bot says that it cannot tell
    PERSON = "person"  # a person ticks it, with a note or a link
    REVIEW = "review"  # a person other than the author, after the bot has shown them the SQL
    PLAN = "plan"  # it stands in the plan itself, or has been announced by the bot


class Basis(StrEnum):
    """What an item is about: when that changes, what was shown before no longer counts."""

    FILES = "files"  # the bytes of the migration and DOWN files
    WINDOW = "window"  # when it is to happen, and who is there
    PLAN = "plan"  # neither: it stays true when files or window change


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the checklist.  ``text`` is the runbook's."""

    item: Item
    group: Group
    text: str
    shown: Shown
    basis: Basis


def _line(item: Item, group: Group, shown: Shown, basis: Basis, text: str) -> Line:
    return Line(item=item, group=group, text=text, shown=shown, basis=basis)


_G, _S, _B = Group, Shown, Basis

CHECKLIST: tuple[Line, ...] = (
    _line(
        Item.LOCAL,
        _G.TESTING,
        _S.BOT,
        _B.FILES,
        "Migration tested on local development database (zero errors)",
    ),
    _line(Item.STAGING, _G.TESTING, _S.BOT, _B.FILES, "Migration tested on staging environment (zero errors)"),
    _line(
        Item.SUITE,
        _G.TESTING,
        _S.PERSON,
        _B.FILES,
        "Full test suite passes on staging post-migration (100% pass rate)",
    ),
    _line(Item.SMOKE, _G.TESTING, _S.PERSON, _B.FILES, "Manual smoke tests completed on staging"),
    _line(
        Item.PERFORMANCE,
        _G.TESTING,
        _S.BOT,
        _B.FILES,
        "Performance impact assessed (query execution time, index creation time)",
    ),
    _line(
        Item.REVIEW,
        _G.TESTING,
        _S.REVIEW,
        _B.FILES,
        "Migration reviewed by another developer (peer review completed)",
    ),
    _line(Item.BACKUP, _G.BACKUP, _S.BOT, _B.PLAN, "Manual backup created"),
    _line(
        Item.BACKUP_VERIFIED,
        _G.BACKUP,
        _S.BOT,
        _B.PLAN,
        "Backup verified (file size consistent, not corrupted)",
    ),
    _line(Item.BACKUP_STORED, _G.BACKUP, _S.PERSON, _B.PLAN, "Safety backup stored securely (encrypted, off-site)"),
    _line(
        Item.ROLLBACK_TESTED,
        _G.BACKUP,
        _S.BOT,
        _B.FILES,
        "Rollback procedure documented and tested on staging",
    ),
    _line(Item.DOWN, _G.BACKUP, _S.BOT, _B.FILES, "DOWN migration SQL prepared (if applicable)"),
    _line(Item.NOTIFIED, _G.COMMUNICATION, _S.PLAN, _B.WINDOW, "Stakeholders notified 24 hours in advance"),
    _line(Item.ANNOUNCED, _G.COMMUNICATION, _S.PLAN, _B.WINDOW, "Migration announcement sent"),
    _line(
        Item.WINDOW,
        _G.COMMUNICATION,
        _S.BOT,
        _B.WINDOW,
        "Maintenance window scheduled (low-traffic period identified)",
    ),
    _line(Item.ON_CALL, _G.COMMUNICATION, _S.BOT, _B.WINDOW, "On-call engineer assigned and available"),
    _line(Item.INCIDENT_TEAM, _G.COMMUNICATION, _S.PERSON, _B.WINDOW, "Incident response team on standby"),
    _line(Item.SUPPORT, _G.COMMUNICATION, _S.PERSON, _B.WINDOW, "Customer support team notified"),
    _line(Item.SQL, _G.ENVIRONMENT, _S.BOT, _B.FILES, "Migration SQL reviewed and validated"),
    _line(Item.CREDENTIALS, _G.ENVIRONMENT, _S.BOT, _B.PLAN, "Database connection credentials verified"),
    _line(Item.PLATFORM, _G.ENVIRONMENT, _S.BOT, _B.PLAN, "Render CLI authenticated (if using Render)"),
    _line(Item.SCRIPTS, _G.ENVIRONMENT, _S.BOT, _B.FILES, "Migration scripts accessible"),
    _line(Item.ROLLBACK_SCRIPTS, _G.ENVIRONMENT, _S.BOT, _B.FILES, "Rollback scripts ready"),
    _line(Item.ACCESS, _G.ENVIRONMENT, _S.BOT, _B.PLAN, "Access to production database confirmed"),
    _line(Item.RISK, _G.RISK, _S.BOT, _B.FILES, "Migration risk level assessed"),
    _line(Item.DOWNTIME, _G.RISK, _S.BOT, _B.FILES, "Downtime estimate calculated"),
    _line(Item.FEATURES, _G.RISK, _S.PLAN, _B.PLAN, "Affected features documented"),
    _line(Item.DEADLINE, _G.RISK, _S.PLAN, _B.PLAN, "Rollback deadline determined"),
    _line(Item.CONTINGENCY, _G.RISK, _S.PERSON, _B.PLAN, "Contingency plan prepared"),
)

LINES: dict[Item, Line] = {line.item: line for line in CHECKLIST}


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What the bot found out about one item; ``ok`` is ``None`` where it has no means to tell.

    ``findings`` say it in words, one fact a line; ``basis`` is what it was about (see ``Preparation.basis``).
    """

    item: Item
    ok: bool | None
    findings: tuple[str, ...]
    at: float
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A person's word for one item, with the evidence they gave."""

    item: Item
    person: str
    name: str
    evidence: str
    at: float
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """An item that shall not count, with the reason; without a second person it does not."""

    item: Item
    person: str
    name: str
    reason: str
    at: float
    basis: str = ""
    second: str = ""
    second_name: str = ""
    second_at: float = 0.0

    @property
    def agreed(self) -> bool:
        return bool(self.second)

    @property
    def words(self) -> str:
        """For the card and the report."""
        return f"{LINES[self.item].text} – waived by {self.name} and {self.second_name}: {self.reason}"
