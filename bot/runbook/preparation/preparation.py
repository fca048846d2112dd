"""One plan on its way to its start: what is planned, what is shown to be true, and who said Go.

Like a run it is never stored as such; it is what ``apply`` makes of the ledger's events.  Times are POSIX seconds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.runbook.digest import digest_of
from bot.runbook.drill import DrillReport
from bot.runbook.estimates import expected, way_back
from bot.runbook.preparation.checklist import LINES, Basis, Item, Proof, Tick, Waiver
from bot.runbook.risk import RiskReport
from bot.runbook.run import Plan, Risk, Run

LONGEST_DRILL = 7200.0  # seconds
EVIDENCE_LENGTH = 500  # characters of what people say


class Stage(StrEnum):
    """Where a plan stands.  ``STAGES`` below says, for each, what moves it on."""

    OPEN = "open"  # being prepared
    STARTING = "starting"  # somebody pressed Start: everything automatic is looked at once more
    MISSED = "missed"  # T-0 went by without all Go: it has to be postponed or cancelled
    STARTED = "started"
    CANCELLED = "cancelled"


STAGES: dict[Stage, str] = {
    Stage.OPEN: "its moments (T-24h, T-1h, T-30m, T-0) are timers derived from the ledger",
    Stage.STARTING: "its job looks once more; the kick timer re-queues a lost one",
    Stage.MISSED: "the nudge timer asks its people to postpone or to cancel",
    Stage.STARTED: "final: the run goes on under its own id",
    Stage.CANCELLED: "final: it was said",
}


class Moment(StrEnum):
    """The moments of the runbook's "Migration Timeline Template" before the start."""

    ANNOUNCE = "T-24h"  # send migration announcement
    FINAL_CHECK = "T-1h"  # final verification
    GO_NO_GO = "T-30m"  # team standup, final go/no-go decision
    START = "T-0"  # begin maintenance window


AHEAD: dict[Moment, float] = {
    Moment.ANNOUNCE: 86400.0,
    Moment.FINAL_CHECK: 3600.0,
    Moment.GO_NO_GO: 1800.0,
    Moment.START: 0.0,
}


@dataclass(frozen=True, kw_only=True)
class Window:
    """The maintenance window; ``zone`` is the IANA name of the time zone in which people think of it."""

    start: float
    end: float
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody with a part in the plan."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What is planned: the run's own plan, and everything that is about the time before it.

    ``executor``, ``on_call`` and ``backup_support`` are the runbook's "Team Assignments".
    """

    plan: Plan
    window: Window
    executor: Member
    on_call: Member
    backup_support: Member
    rehearse: bool = True  # by the bot itself, before the go/no-go, where nobody asked for it earlier
    features: str = ""
    stakeholders: str = ""

    @property
    def team(self) -> tuple[Member, ...]:
        """Who says Go: each person once, in the template's order."""
        return tuple({each.id: each for each in (self.executor, self.on_call, self.backup_support)}.values())


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One person's Go or No-go, for the plan as it was then."""

    person: str
    name: str
    go: bool
    at: float
    reason: str = ""
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Where one plan stands.  ``version`` counts its events."""

    id: str
    draft: Draft
    version: int
    stage: Stage
    created_at: float
    since: float
    author: str
    author_name: str
    files: str = ""  # digest of the migration and DOWN files as last read; empty: not read yet
    proofs: tuple[Proof, ...] = ()
    proved_at: float = 0.0
    ticks: tuple[Tick, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    readers: tuple[tuple[str, str], ...] = ()  # who was shown the SQL, of which digest
    risk: RiskReport | None = None
    drill: DrillReport | None = None
    risk_files: str = ""  # of which files ``risk`` is
    drilling: float | None = None  # since when a rehearsal is under way
    no_drill: str = ""  # why the last rehearsal was not possible at all
    writers: frozenset[str] = frozenset()  # who has said which files are to be run
    answers: tuple[Answer, ...] = ()
    came: tuple[Moment, ...] = ()  # moments that were taken care of
    announced_at: float | None = None
    starter: str = ""  # who pressed Start
    starter_name: str = ""
    nudged_at: float = 0.0
    run: str = ""
    reason: str = ""
    ended_at: float | None = None

    @property
    def final(self) -> bool:
        return self.stage in (Stage.STARTED, Stage.CANCELLED)

    def basis_of(self, item: Item) -> str:
        """What ``item`` is about now; something shown for another basis no longer counts."""
        match LINES[item].basis:
            case Basis.FILES:
                return self.files
            case Basis.WINDOW:
                return self.when
            case Basis.PLAN:
                return ""

    @property
    def when(self) -> str:
        """The window and its people, as one value to compare."""
        window, draft = self.draft.window, self.draft
        return f"{window.start:.0f}-{window.end:.0f} {' '.join(each.id for each in draft.team)}"

    @property
    def basis(self) -> str:
        """What a Go is about: the files, the window, the people, everything the plan says, and what was waived."""
        waived = [each.item.value for each in self.waivers if each.agreed and self.waiver(each.item) == each]
        terms = (("files", self.files), ("when", self.when), ("terms", self._terms), ("waived", ",".join(waived)))
        return digest_of(terms)

    @property
    def _terms(self) -> str:
        """What the run will be held to."""
        plan = self.draft.plan
        parts = (plan.migrations, plan.down, plan.downtime, plan.downtime_minutes, plan.risk, plan.standby)
        return repr((*parts, plan.rollback_deadline, plan.auto_rollback, plan.envelope, sorted(plan.policy.approvers)))

    def proof(self, item: Item) -> Proof | None:
        """What the bot found out, if that is still about what is planned."""
        found = next((each for each in reversed(self.proofs) if each.item is item), None)
        return found if found and found.basis == self.basis_of(item) else None

    def tick(self, item: Item) -> Tick | None:
        """What a person said, likewise."""
        found = next((each for each in reversed(self.ticks) if each.item is item), None)
        return found if found and found.basis == self.basis_of(item) else None

    def waiver(self, item: Item) -> Waiver | None:
        """The waiver, agreed to or not yet, if it is about what the bot finds now."""
        found = next((each for each in reversed(self.waivers) if each.item is item), None)
        return found if found and found.basis == self.waived_basis(item) else None

    def waived_basis(self, item: Item) -> str:
        """What a waiver is about: the item's own basis, the window, and what the bot found (but for its figures).

        A waiver of a missing privilege must not hide tomorrow that somebody else is migrating.
        """
        proof = self.proof(item)
        found = re.sub(r"[\d.]+", "#", "\n".join(proof.findings)) if proof and proof.ok is False else ""
        return digest_of((("item", self.basis_of(item)), ("when", self.when), ("found", found)))

    def answer(self, person: str) -> Answer | None:
        """That person's Go or No-go, if it is about the plan as it is now."""
        found = next((each for each in reversed(self.answers) if each.person == person), None)
        return found if found and found.basis == self.basis else None

    def was_shown(self, person: str) -> bool:
        """Has that person been shown the SQL as it is now?"""
        return bool(self.files) and (person, self.files) in self.readers

    def fresh_risk(self) -> RiskReport | None:
        """The judgement of the SQL, if it is about the files as they are now."""
        return self.risk if self.risk and self.files and self.risk_files == self.files else None

    def rehearsing(self, now: float) -> bool:
        """Is a rehearsal under way?  One that has not ended in two hours is not believed to end at all."""
        return self.drilling is not None and now - self.drilling < LONGEST_DRILL

    def fresh_drill(self) -> DrillReport | None:
        """The rehearsal, if it was of the files as they are now."""
        return self.drill if self.drill and self.drill.files == self.files else None

    def due(self, moment: Moment) -> float:
        """When ``moment`` is; the demo's compressed time brings them nearer to the start."""
        return self.draft.window.start - AHEAD[moment] / self.draft.plan.timing.speed

    def to_run(self, history: Sequence[Run] = ()) -> Plan:
        """The plan as it is run: by whoever pressed Start, with what was measured beforehand.

        ``history`` are past runs of the target, whose times the estimates learn from.
        """
        plan = self._plan()
        back = way_back(plan.drill)
        risk = self.fresh_risk()
        times = expected(plan, history, risk.downtime if risk else None)
        return replace(plan, expected=times, back_seconds=back[0] if back else None)

    def _risk(self) -> Risk:
        """The higher of what people said and the bot found; what destroys, or was not judged, is high."""
        report, order = self.fresh_risk(), list(Risk)
        found = Risk.HIGH if report is None or report.destroys else report.level
        return max(self.draft.plan.risk, found, key=order.index)

    def _plan(self) -> Plan:
        return replace(
            self.draft.plan,
            starter=self.starter or self.author,
            starter_name=self.starter_name or self.author_name,
            preparation=self.id,
            author=self.author,
            reviewed=self.files,
            risk=self._risk(),
            waived=tuple(each.words for each in self.waivers if each.agreed and self.waiver(each.item) == each),
            drill=self.fresh_drill(),
            window_end=self.draft.window.end,
        )
