"""Where each item of the checklist stands, and why: the bot's proof, a person's word, or a waiver.

What a rehearsal or the risk check has shown is derived here from their reports, so that it holds for exactly as long
as those are about the files as they are.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.runbook.drill import DrillReport
from bot.runbook.preparation.checklist import CHECKLIST, LINES, Item, Proof, Shown
from bot.runbook.preparation.preparation import AHEAD, Moment, Preparation
from bot.runbook.wording import counted, duration

_MINUTE = 60.0
_NOT_REHEARSED = "Not rehearsed yet; /migrate drill does it on a copy."


class Standing(StrEnum):
    """What is known of one item."""

    PROVEN = "proven"
    TICKED = "ticked"
    WAIVED = "waived"
    FAILED = "failed"  # the bot looked and it is not so
    OPEN = "open"

    @property
    def met(self) -> bool:
        return self in (Standing.PROVEN, Standing.TICKED, Standing.WAIVED)


@dataclass(frozen=True, kw_only=True)
class Status:
    """One item with its standing; ``why`` is the evidence, or what is missing, line by line."""

    item: Item
    standing: Standing
    why: tuple[str, ...]
    waiting: bool = False  # a waiver waits for its second person


def checklist(p: Preparation) -> tuple[Status, ...]:
    """All 28 items in the runbook's order."""
    return tuple(status(p, line.item) for line in CHECKLIST)


def status(p: Preparation, item: Item) -> Status:
    """One item.  A failed proof is not outvoted by a tick; only a waiver of two people sets it aside."""
    waiver, tick, proof = p.waiver(item), p.tick(item), proof_of(p, item)
    waiting = waiver is not None and not waiver.agreed
    if waiver and waiver.agreed:
        why = f"Waived by {waiver.name} and {waiver.second_name}: {waiver.reason}"
        return Status(item=item, standing=Standing.WAIVED, why=(why,))
    if proof and proof.ok:
        return Status(item=item, standing=Standing.PROVEN, why=proof.findings)
    if proof and proof.ok is False:
        return Status(item=item, standing=Standing.FAILED, why=proof.findings, waiting=waiting)
    if tick:
        return Status(item=item, standing=Standing.TICKED, why=(f"{tick.name}: {tick.evidence}",))
    return Status(item=item, standing=Standing.OPEN, why=proof.findings if proof else (), waiting=waiting)


def tickable(p: Preparation, item: Item) -> bool:
    """May a person's word count for it?  Not where the bot can look, and not for the review, which has its own way."""
    shown, proof = LINES[item].shown, proof_of(p, item)
    return shown is not Shown.REVIEW and item is not Item.DEADLINE and (proof is None or proof.ok is None)


def proof_of(p: Preparation, item: Item) -> Proof | None:
    """What the bot knows of an item: from the plan, the rehearsal, the risk check, or from having looked."""
    derived = _DERIVED.get(item)
    return (derived(p) if derived else None) or p.proof(item)


def _proof(p: Preparation, item: Item, ok: bool | None, *findings: str) -> Proof:
    return Proof(item=item, ok=ok, findings=findings, at=p.proved_at, basis=p.basis_of(item))


def _not_rehearsed(p: Preparation, item: Item) -> Proof:
    """Only where no rehearsal is possible may a person's word stand for it; else two people have to waive it."""
    if p.no_drill:
        return _proof(p, item, None, f"It could not be rehearsed: {p.no_drill}")
    return _proof(p, item, False, _NOT_REHEARSED)


def _local(p: Preparation) -> Proof:
    drill = p.fresh_drill()
    if drill is None:
        return _not_rehearsed(p, Item.LOCAL)
    if not drill.ok:
        return _proof(p, Item.LOCAL, False, f"On a copy: {drill.problem}")
    return _proof(p, Item.LOCAL, True, f"Applied on {drill.source or 'a copy'} with zero errors, {_took(drill)}")


def _took(drill: DrillReport) -> str:
    return f"{counted(len(drill.statements), 'statement')} in {drill.apply_seconds:.1f} s"


def _performance(p: Preparation) -> Proof:
    drill, risk = p.fresh_drill(), p.fresh_risk()
    if drill is not None and drill.ok:
        slowest = max(drill.statements, key=lambda each: each.seconds, default=None)
        longest = f"; the longest {slowest.seconds:.1f} s ({slowest.head})" if slowest else ""
        rewrites = f"; rewrites {', '.join(drill.rewrites)}" if drill.rewrites else "; no table is rewritten"
        return _proof(p, Item.PERFORMANCE, True, f"Measured on a copy: {_took(drill)}{longest}{rewrites}")
    if risk is not None and risk.downtime is not None:
        said = f"Estimated: reads or writes wait {duration(risk.downtime)} ({risk.downtime_basis})"
        return _proof(p, Item.PERFORMANCE, True, said)
    return _not_rehearsed(p, Item.PERFORMANCE)


def _backup_verified(p: Preparation) -> Proof:
    drill = p.drill  # of whatever files: it is about the backup
    if drill is None or drill.backup_seconds is None:
        return _not_rehearsed(p, Item.BACKUP_VERIFIED)
    said = f"A backup of {drill.backup_seconds:.1f} s was restored into a copy in {drill.copy_seconds:.1f} s"
    return _proof(p, Item.BACKUP_VERIFIED, True, said)


def _rollback_tested(p: Preparation) -> Proof:
    drill = p.fresh_drill()
    if drill is None:
        return _not_rehearsed(p, Item.ROLLBACK_TESTED)
    gone = [f"{each.rung}: {each.seconds:.1f} s" for each in drill.back if each.seconds is not None]
    failed = [f"{each.rung}: {each.problem}" for each in drill.back if each.seconds is None]
    if not gone:
        return _proof(p, Item.ROLLBACK_TESTED, False, *(failed or ["No way back could be gone on the copy."]))
    return _proof(p, Item.ROLLBACK_TESTED, True, f"Gone back on a copy, {'; '.join(gone)}", *failed)


def _down(p: Preparation) -> Proof:
    if not p.draft.plan.down:
        said = "Not applicable: there is no DOWN script; the way back is the standby copy or the backup."
        return _proof(p, Item.DOWN, True, said)
    drill = p.fresh_drill()
    if drill is None:
        return _not_rehearsed(p, Item.DOWN)
    if drill.down_seconds is None:
        return _proof(p, Item.DOWN, False, f"On a copy: {drill.down_problem or 'it was not run'}")
    return _proof(p, Item.DOWN, True, f"Rehearsed: {drill.down_seconds:.1f} s, and the schema is as before")


def _risk(p: Preparation) -> Proof:
    risk = p.fresh_risk()
    if risk is None:
        return _proof(p, Item.RISK, False, "Not judged yet: the bot is still looking at the SQL.")
    return _proof(p, Item.RISK, True, f"{risk.level.capitalize()}: {'; '.join(risk.reasons)}")


def _downtime(p: Preparation) -> Proof:
    plan, drill = p.draft.plan, p.fresh_drill()
    if not plan.downtime:
        return _proof(p, Item.DOWNTIME, True, "Zero: the services keep running")
    basis = f"; the migration itself took {drill.apply_seconds:.1f} s on a copy" if drill and drill.ok else ""
    if drill and drill.ok and drill.apply_seconds > plan.downtime_minutes * _MINUTE:
        said = f"{counted(plan.downtime_minutes, 'minute')} are planned{basis}: edit the plan"
        return _proof(p, Item.DOWNTIME, False, said)
    return _proof(p, Item.DOWNTIME, True, f"{counted(plan.downtime_minutes, 'minute')}{basis}")


def _announced(p: Preparation) -> Proof | None:
    if p.announced_at is None:
        return None
    ahead = p.draft.window.start - p.announced_at
    return _proof(p, Item.ANNOUNCED, True, f"Announced in the channel {duration(ahead)} before the start")


def _notified(p: Preparation) -> Proof | None:
    """A day ahead, to the minute; the demo's compressed day counts as one."""
    if p.announced_at is None:
        return None
    speed = p.draft.plan.timing.speed
    ahead = (p.draft.window.start - p.announced_at) * speed
    if ahead < AHEAD[Moment.ANNOUNCE] - 5 * _MINUTE:
        return _proof(p, Item.NOTIFIED, None, f"Announced only {duration(ahead)} before the start")
    return _proof(p, Item.NOTIFIED, True, f"Announced {duration(ahead)} before the start")


def _features(p: Preparation) -> Proof | None:
    return _proof(p, Item.FEATURES, True, p.draft.features) if p.draft.features else None


def _deadline(p: Preparation) -> Proof:
    deadline = p.draft.plan.rollback_deadline
    if deadline is None:
        return _proof(p, Item.DEADLINE, False, "The plan has no rollback deadline; edit it.")
    return _proof(p, Item.DEADLINE, True, f"{duration(deadline)} after the end of the migration")


_DERIVED = {
    Item.LOCAL: _local,
    Item.PERFORMANCE: _performance,
    Item.BACKUP_VERIFIED: _backup_verified,
    Item.ROLLBACK_TESTED: _rollback_tested,
    Item.DOWN: _down,
    Item.RISK: _risk,
    Item.DOWNTIME: _downtime,
    Item.ANNOUNCED: _announced,
    Item.NOTIFIED: _notified,
    Item.FEATURES: _features,
    Item.DEADLINE: _deadline,
}
