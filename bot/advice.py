"""Troubleshooting: what an error means, whether it has changed anything, and what to do.

Found by SQLSTATE first (PostgreSQL documentation, Appendix A), by words second.
"""

import re

from bot.advice_table import TABLE, Advice

CANNOT_CONNECT = TABLE[2].do
_HEAD = """\
# Troubleshooting

What errors of a step mean, whether they have changed anything, and what to do. The bot says it by itself when a step
fails, and on `/migrate troubleshoot ERROR`. What it says of the database then is what it has looked up, and betters
what an error alone can tell. Prisma's codes (P…) are explained where they occur.

| Error | SQLSTATE | What happened | Changed | What to do |
|---|---|---|---|---|
"""
OTHERWISE = "Read the step's log; mend the cause, then type /migrate retry."


def find(state: str, text: str = "") -> Advice | None:
    """By SQLSTATE, else by words."""
    by_state = (each for each in TABLE if state in each.states)
    by_words = (each for each in TABLE if each.words and re.search(each.words, text, re.IGNORECASE))
    return next(by_state, None) if state else next(by_words, None)


def explain(state: str, text: str = "") -> str:
    """What to do, or how to find out."""
    found = find(state, text) or (find("", text) if state else None)
    return found.do if found else OTHERWISE


def as_markdown() -> str:
    """``docs/troubleshooting.md`` as it is committed."""
    return _HEAD + "".join(
        f"| {each.name} | {', '.join(each.states) or 'by its words'} | {each.happened} | {each.changed} | {each.do} |\n"
        for each in TABLE
    )
