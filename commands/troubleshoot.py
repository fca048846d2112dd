"""``/migrate troubleshoot [ERROR]``: what an error means, whether it has changed anything, and what to do."""

import re

from bot.advice import find
from bot.advice_table import TABLE, Advice
from bot.runbook.refusals import Invalid
from bot.runbook.run import Run
from bot.runbook.texts import DATABASE
from bot.views import blocks as b
from bot.views.text import escape, said
from commands.desk import Desk, Reply
from commands.parse import Request

_STATE = re.compile(r"\b[0-9][0-9A-Z]{4}\b|\b[A-Z]{2}[0-9]{3}\b")


class UnknownError(Invalid):
    """No entry of the table is about it."""

    def __init__(self) -> None:
        names = ", ".join(each.name for each in TABLE)
        super().__init__(
            f"Nothing is known of that error. There is advice about: {names}.",
            "Give its SQLSTATE, such as 42703, or its words. /migrate logs shows what the tools printed.",
        )


async def troubleshoot(desk: Desk, request: Request) -> Reply:
    """Of the error that was typed, or of the one that the run has stopped at."""
    run = None if request.words.strip() else await desk.run(request, latest=True)
    words = request.words if run is None else run.trouble.problem if run.trouble else ""
    if run is not None and not words:
        raise Invalid("The run has not stopped at an error.", "Type the error: /migrate troubleshoot 42703")
    found = by(words)
    if found is None:
        raise UnknownError()
    text = _told(found, run)
    return Reply(payload=b.payload(text, [b.section(text)]))


def by(words: str) -> Advice | None:
    """The entry for what was typed: by its SQLSTATE, its name, or its words."""
    for state in _STATE.findall(words):
        if found := find(state):
            return found
    named = (each for each in TABLE if each.name.lower() == words.strip().lower())
    return next(named, None) or find("", words)


def _told(found: Advice, run: Run | None) -> str:
    """The run's own evidence of the database counts for more than what an error alone can tell."""
    changed = found.changed if run is None else f"The database: {DATABASE[run.database_state]}."
    states = f" ({', '.join(found.states)})" if found.states else ""
    at = f"\nRun {said(run.id, 60)} stopped at it: {said(run.trouble.problem, 400)}" if run and run.trouble else ""
    return (
        f"*{escape(found.name)}*{states}{at}\n*What happened:* {escape(found.happened)}\n"
        f"*Changed:* {escape(changed)}\n*What to do:* {escape(found.do)}"
    )
