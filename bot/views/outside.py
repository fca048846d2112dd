"""Which event is told where outside of the channel.  Pure, so a replay makes the same notices with the same keys."""

from bot.outside import Alarm, AlarmOver, Body, Maintenance, Medium, Notice, Quiet, QuietOver
from bot.ports import Letter
from bot.runbook import events as e
from bot.runbook.run import Run
from bot.runbook.wording import one_line
from bot.views import notices as n
from bot.views.blocks import Glyph
from bot.views.letters import card_key_of
from bot.views.mails import mail
from bot.views.paging import bodies
from bot.views.public import maintenance
from bot.views.text import said


def notices(before: Run | None, run: Run, event: e.Event, media: frozenset[Medium]) -> tuple[Notice, ...]:
    """What is to be told of ``event`` where the target has ``media``.

    A clean-up concerns nobody outside, and an exercise must never page or alarm anybody.
    """
    if run.plan.cleans or run.plan.exercise or not media:
        return ()
    shown, written = maintenance(run, event), mail(before, run, event)
    found: list[tuple[Medium, Body]] = [(Medium.STATUS_PAGE, shown)] if shown else []
    found += [(Medium.PAGER, each) for each in bodies(before, run, event)]
    found += [(Medium.MAIL, written)] if written else []
    return tuple(_notice(run, medium, number, body) for number, (medium, body) in enumerate(found) if medium in media)


def _notice(run: Run, medium: Medium, number: int, body: Body) -> Notice:
    key = f"{run.id}:{run.version}:{medium}:{type(body).__name__.lower()}{number or ''}"
    return Notice(
        key=key, run_id=run.id, target=run.plan.target, medium=medium, about=_about(body) or key, body=body
    )  # fmt: skip


def _about(body: Body) -> str:
    match body:
        case Maintenance():
            return "maintenance"
        case Alarm(alert=alert) | AlarmOver(alert=alert):
            return alert
        case Quiet() | QuietOver():
            return "quiet"
    return ""


_MEDIA = {
    Medium.STATUS_PAGE: "The status page could not be updated",
    Medium.PAGER: "The pager could not be told",
    Medium.MAIL: "A mail could not be sent",
}
_NAMES = {Medium.STATUS_PAGE: "The status page", Medium.PAGER: "The pager", Medium.MAIL: "The mail server"}
_OUTCOMES = {
    "told": f"{Glyph.DONE} {{}} has been told since; nothing is left to do by hand.",
    "overtaken": f"{Glyph.DONE} {{}} need not be told any more: it is over.",
    "dropped": f"{Glyph.ATTENTION} {{}} is no longer configured for this target: do it by hand.",
    "given up": f"{Glyph.ATTENTION} {{}} could not be told for a day and is not tried again: do it by hand.",
}


def untold(channel: str, notice: Notice, why: str) -> Letter:
    """Says in the thread that something could not be told, and what to do by hand."""
    problem = f"{Glyph.ATTENTION} {_MEDIA[notice.medium]}: {said(why, 500)}"
    by_hand = f"Do it by hand: {_by_hand(notice.body)} The bot goes on trying."
    return _letter(channel, notice, "untold", f"{problem}\n{by_hand}")


def at_last(channel: str, notice: Notice, state: str) -> Letter:
    """Says in the thread how it came out, of something that could not be told at first."""
    return _letter(channel, notice, "at_last", _OUTCOMES.get(state, _OUTCOMES["told"]).format(_NAMES[notice.medium]))


def remark(channel: str, notice: Notice, words: str) -> Letter:
    """Says in the thread what came of telling."""
    return _letter(channel, notice, "remark", f"{Glyph.INFO} {said(words, 600)}")


def _by_hand(body: Body) -> str:
    match body:
        case Maintenance(phase=phase, words=words):
            return f"set the maintenance to “{phase}” and write “{said(words.replace(chr(10), ', '), 300)}”."
        case Alarm(summary=summary):
            return f"call the on-call engineer: “{said(summary, 300)}”."
        case AlarmOver(alert=alert):
            return f"resolve the alert {said(alert)}."
        case Quiet():
            return "start a maintenance window for the affected services, or expect their alarms."
        case QuietOver():
            return "end the maintenance window of the affected services."
    return "tell those it was meant for yourself."


def _letter(channel: str, notice: Notice, what: str, words: str) -> Letter:
    """In the thread of the card of whatever it is about, a run or a plan."""
    return Letter(
        key=f"{notice.key}:{what}",
        run_id=notice.run_id,
        channel=channel,
        payload=n.one_section(words),
        thread=card_key_of(notice.run_id),
    )


def on_call(names: tuple[tuple[str, str], ...]) -> str:
    """Who is on call, each with until when."""
    said_names = ", ".join(f"{one_line(name, 80)}{f' until {until}' if until else ''}" for name, until in names)
    return f"On call: {said_names}." if said_names else "The pager names nobody who is on call. Assign somebody."
