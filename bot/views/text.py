"""Text for Slack: escaped, clipped, pinging nobody unless a mention is meant (/messaging/formatting-message-text)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from bot.runbook.wording import one_line

_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CALLED = 20  # mentions in one place; beyond that, name a user group
_HALF = re.compile(r"(?:&[a-z]{0,4}|<[^<>]*)$")  # an entity or a token that a cut went through


def escape(text: str) -> str:
    """The three characters Slack reads as control characters; afterwards nothing in it can mention anybody."""
    return re.sub("[&<>]", lambda found: _ENTITY[found[0]], text)


def said(text: str, limit: int = 300) -> str:
    """People's words for mrkdwn: one line, escaped, and with no backtick that could open a code span.

    At most ``limit`` characters as read, and twice that as sent, however many of them are escaped.
    """
    return clip(escape(one_line(text, limit).replace("`", "ˋ")), 2 * limit)


def clip(marked: str, limit: int) -> str:
    """At most ``limit`` characters of escaped text, never ending inside an entity, mention or date."""
    if len(marked) <= limit:
        return marked
    return _HALF.sub("", marked[: limit - 1]).rstrip() + "…"


def mention(people: Iterable[str]) -> str:
    """Mentions of user ids (``U…``, ``W…``) and user-group ids (``S…``); anything else is shown, not called."""
    named = sorted(people)
    more = f" and {len(named) - _CALLED} more" if len(named) > _CALLED else ""
    return " ".join(_mention(each) for each in named[:_CALLED]) + more


def _mention(one: str) -> str:
    if re.fullmatch("[UW][A-Z0-9]{2,}", one):
        return f"<@{one}>"
    return f"<!subteam^{one}>" if re.fullmatch("S[A-Z0-9]{2,}", one) else said(one, 80)


def moment(at: float, form: str = "{time}") -> str:
    """A moment in each reader's own time zone, with UTC for clients that cannot (``<!date>``)."""
    fallback = datetime.fromtimestamp(at, UTC).strftime("%d %b %Y %H:%M UTC")
    return f"<!date^{int(at)}^{form}|{fallback}>"


def plain(marked: str) -> str:
    """Escaped text as a console shows it: entities undone, mentions and dates in words."""
    marked = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", marked)
    marked = re.sub(r"<(?:@|!subteam\^)([A-Z0-9]+)>", r"@\1", marked)
    return marked.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
