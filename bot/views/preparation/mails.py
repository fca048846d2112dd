"""The mails about a plan: the announcement at T-24h, and what becomes of it, to those who heard of it."""

from bot.outside import Audience, Mail, Medium, Notice
from bot.runbook.preparation import events as e
from bot.runbook.preparation import texts
from bot.runbook.preparation.preparation import Moment, Preparation
from bot.runbook.wording import one_line

_EVERYBODY = (Audience.STAKEHOLDERS, Audience.TEAM)


def plan_notices(
    before: Preparation | None,
    after: Preparation,
    event: e.Event,
    media: frozenset[Medium],
    *,
    now: float,
    template: str = "",
) -> tuple[Notice, ...]:
    """What is told outside of the channel; nothing where the target has no mail."""
    words = _words(before, after, event, now, template) if Medium.MAIL in media else ""
    if not words:
        return ()
    plan = after.draft.plan
    named = f"{one_line(plan.name, 120)} on {one_line(plan.target, 80)}"
    body = Mail(
        subject=f"Planned database migration: {named} ({after.id})",
        text=f"{words}\n\n{named}, plan {after.id}\n",
        audience=_EVERYBODY,
        at=now,
        first=isinstance(event, e.MomentCame) and (before is None or before.announced_at is None),
    )
    key = f"{after.id}:{after.version}:mail"
    return (Notice(key=key, run_id=after.id, target=plan.target, medium=Medium.MAIL, about=key, body=body),)


def _words(before: Preparation | None, after: Preparation, event: e.Event, now: float, template: str) -> str:
    """Who was never told of a plan need not hear that it is off."""
    told = before is not None and before.announced_at is not None
    match event:
        case e.MomentCame(moment=Moment.ANNOUNCE, skipped=""):
            return texts.announcement(after, now, template)
        case e.Postponed(reason=reason) if told:
            return texts.postponed(after, reason)
        case e.PlanCancelled() if told:
            return texts.cancelled(after)
    return ""
