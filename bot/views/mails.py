"""The mails of a run: its announcements for everybody, its alarms for the team, all in one thread."""

from html import escape

from bot.outside import Alarm, Audience, Mail
from bot.runbook import events as e
from bot.runbook import texts
from bot.runbook.announcements import announcement
from bot.runbook.run import Run
from bot.runbook.steps import StepName
from bot.runbook.wording import one_line
from bot.views.paging import raised

_EVERYBODY = (Audience.STAKEHOLDERS, Audience.TEAM)


def mail(before: Run | None, run: Run, event: e.Event) -> Mail | None:
    """The mail that ``event`` calls for, if any."""
    if isinstance(event, e.StepFinished):
        words = announcement(run, event.step, event.at)
        first = event.step is StepName.ANNOUNCE_START
        return _mail(run, words, _EVERYBODY, event.at, first=first) if words else None
    alarm = raised(before, run, event)
    return _mail(run, _alarmed(run, alarm), (Audience.TEAM,), alarm.at) if alarm else None


def html(text: str) -> str:
    """The same words as HTML: the first line strong, each line its own, nothing in them markup."""
    head, *lines = [escape(line) for line in text.splitlines()] or [""]
    body = "".join(f"<br>\n{line}" for line in lines)
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head><body><p><b>{head}</b>{body}</p></body></html>\n'


def _alarmed(run: Run, alarm: Alarm) -> str:
    return f"🚨 {alarm.summary}\n\n{texts.status(run, alarm.at)}"


def _mail(run: Run, words: str, audience: tuple[Audience, ...], at: float, *, first: bool = False) -> Mail:
    named = f"{one_line(run.plan.name, 120)} on {one_line(run.plan.target, 80)}"
    text = f"{words}\n\n{named}, run {run.id}\n"
    return Mail(subject=f"Database migration: {named} ({run.id})", text=text, audience=audience, at=at, first=first)
