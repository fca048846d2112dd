"""The message about a session that keeps the migration waiting for a lock."""

from bot.runbook import texts
from bot.runbook.run import Blocker, Run
from bot.runbook.wording import counted, duration
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Verb
from bot.views.offers import offered
from bot.views.text import mention, said


def blocked(run: Run, blocker: Blocker) -> b.Payload:
    """Who blocks, since when, with what, and what can be done about it."""
    headline = f"{Glyph.ATTENTION} The migration waits for a lock held by session {blocker.pid}"
    given = len(blocker.approvals)
    answers = f"{given} of {counted(run.plan.policy.quorum, 'approval')} to cancel it"
    if blocker.granted:
        ask = f"Cancelling it is approved by {_names(blocker)}; the bot is doing it."
    else:
        ask = f"{mention(texts.needed(run)) or 'An approver'}: cancel it, or let the migration wait. {answers} so far."
    drawn = [
        b.section(f"*{headline}*\n{ask}"),
        *b.facts(_facts(blocker)),
        b.code([blocker.query or "–"], 600, widest=590),
    ]
    facts = "; ".join(f"{name.lower()} {value}" for name, value in _facts(blocker))
    text = f"{headline}. {ask}\n{facts}.\nIts statement: {said(blocker.query, 500)}"
    return b.payload(text, [*drawn, *b.actions(_buttons(run, blocker))])


def unblocked(blocker: Blocker, why: str = "") -> b.Payload:
    """The same message once the session is out of the way, or the step is over."""
    cancelled = f" Cancelling it was approved by {_names(blocker)}." if blocker.granted else ""
    text = f"{Glyph.INFO} Session {blocker.pid} ({said(blocker.application, 80)}) no longer blocks.{cancelled}{why}"
    return b.payload(text, [b.section(text)])


def _names(blocker: Blocker) -> str:
    return ", ".join(said(each.name, 80) for each in blocker.approvals[:20]) or "nobody"


def _facts(blocker: Blocker) -> list[tuple[str, str]]:
    return [
        ("Session", f"{blocker.pid}, since {said(blocker.started, 40)}"),
        ("Application", said(blocker.application, 80) or "unnamed"),
        ("User", said(blocker.user, 80)),
        ("Its statement runs for", duration(blocker.age_seconds)),
    ]


def _buttons(run: Run, blocker: Blocker) -> list[b.Block]:
    if blocker.granted:
        return []
    value = ActionValue(run=run.id, digest=blocker.digest)
    undone = "cancelled, and ended if that frees no lock; what it was doing is undone."
    what = f"Session {blocker.pid} of {said(blocker.user, 60)} is {undone}"
    sure = b.confirm("Cancel this session?", what, "Cancel it", danger=True)
    drawn = [
        b.button(Verb.KEEP_WAITING, "Keep waiting", value),
        b.button(Verb.CANCEL_BLOCKER, "Cancel this blocker", value, style="danger", confirm=sure),
    ]
    return [*drawn, b.button(Verb.HOLD, "Hold…", value)] if Verb.HOLD in offered(run) else drawn
