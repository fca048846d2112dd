"""What is announced of a plan: the runbook's "Migration Timeline Template", filled, and the announcement at T-24h.

The announcement's template is the target's own where it has one: ``$name`` ``$purpose`` ``$date`` ``$window`` ``$risk``
``$downtime`` ``$features`` ``$team`` ``$ahead`` are filled in, and anything else stays as it is written.
"""

from datetime import UTC, datetime
from string import Template

from bot.runbook.preparation.preparation import Moment, Preparation
from bot.runbook.wording import counted, duration, moment, one_line, zone_of

ANNOUNCEMENT = """\
📣 Database migration planned: $name
Purpose: $purpose
When: $window, $ahead from now
Risk level: $risk
Estimated downtime: $downtime
Affected features: $features
Team: $team
Questions? Answer in this thread; nothing starts before the go/no-go at T-30m."""

MOMENTS: dict[Moment, str] = {  # runbook "Migration Timeline Template"
    Moment.ANNOUNCE: "Send migration announcement",
    Moment.FINAL_CHECK: "Final verification on staging",
    Moment.GO_NO_GO: "Team standup, final go/no-go decision",
    Moment.START: "Begin maintenance window",
}
_STEPS = (  # runbook "Migration Timeline Template": minutes after T-0
    (0, "Create backup"),
    (5, "Stop services (if required)"),
    (8, "Execute migration"),
    (18, "Verify success"),
    (23, "Restart services"),
    (28, "Monitor (30 min)"),
    (58, "Complete, send announcement"),
)


def timeline(p: Preparation) -> str:
    """The runbook's template, filled with the plan: its own words and order."""
    draft, window = p.draft, p.draft.window
    there = datetime.fromtimestamp(window.start, zone_of(window.zone) or UTC)
    moments = [f"• {each}: {words} ({moment(p.due(each), window.zone)})" for each, words in MOMENTS.items()]
    steps = [f"• T+{minute}: {words}" for minute, words in _STEPS]
    deadline = draft.plan.rollback_deadline
    within = duration(deadline) if deadline is not None else "[not determined yet]"
    return "\n".join(
        (
            f"Migration: {one_line(draft.plan.name)}",
            f"Date: {there:%Y-%m-%d}",
            f"Time: {there:%H:%M %Z}",
            f"Risk Level: {risk_level(p)}",
            f"Estimated Downtime: {downtime(p)}",
            "Timeline",
            *moments,
            *steps,
            "Rollback Deadline",
            f"If issues detected within {within}, rollback immediately.",
            "Team Assignments",
            f"• Migration Executor: {one_line(draft.executor.name)}",
            f"• On-call Engineer: {one_line(draft.on_call.name)}",
            f"• Backup Support: {one_line(draft.backup_support.name)}",
        )
    )


def risk_level(p: Preparation) -> str:
    """Low, Medium or High: the higher of what the person said and what the bot found."""
    order = ("low", "medium", "high")
    found = (p.draft.plan.risk.value, p.risk.level.value if p.risk else "low")
    return max(found, key=order.index).capitalize()


def downtime(p: Preparation) -> str:
    """Minutes, or Zero."""
    plan = p.draft.plan
    return counted(plan.downtime_minutes, "minute") if plan.downtime else "Zero"


def announcement(p: Preparation, now: float, template: str = "") -> str:
    """What is sent at T-24h, from the target's template or ours."""
    draft, window = p.draft, p.draft.window
    end = datetime.fromtimestamp(window.end, zone_of(window.zone) or UTC)
    return Template(template or ANNOUNCEMENT).safe_substitute(
        name=one_line(draft.plan.name),
        purpose=one_line(draft.plan.purpose),
        date=f"{datetime.fromtimestamp(window.start, zone_of(window.zone) or UTC):%Y-%m-%d}",
        window=f"{moment(window.start, window.zone)} until {end:%H:%M %Z}",
        risk=risk_level(p),
        downtime=downtime(p),
        features=one_line(draft.features) or "none named",
        team=", ".join(one_line(each.name) for each in draft.team),
        ahead=duration(max(0.0, window.start - now)),
    )


def cancelled(p: Preparation) -> str:
    """Said to everybody who may have heard of it."""
    return f"ℹ️ Planned migration cancelled: {one_line(p.draft.plan.name)}\nReason: {one_line(p.reason)}"


def postponed(p: Preparation, reason: str) -> str:
    """Likewise, with the new window."""
    window = p.draft.window
    return (
        f"ℹ️ Planned migration moved: {one_line(p.draft.plan.name)}\n"
        f"Now: {moment(window.start, window.zone)}\nReason: {one_line(reason)}"
    )
