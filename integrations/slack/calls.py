"""One place where a call to Slack becomes an answer, ``Busy``, ``Unclear`` or ``SlackRefused``."""

import time
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot import telemetry
from bot.ports import Busy, Unclear, Undeliverable

#: Slack's own "it may have happened all the same" (docs.slack.dev/reference/methods/chat.postMessage, errors).
_UNCLEAR = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_BUSY = frozenset({"ratelimited", "rate_limited"})
_ADVICE: Mapping[str, str] = {
    "not_in_channel": "Invite the bot to the channel: /invite @ its name.",
    "channel_not_found": "Check the channel's id in the targets file, and invite the bot to it.",
    "is_archived": "Unarchive the channel, or name another one in the targets file.",
    "restricted_action": "Allow the bot to post in this channel.",
    "invalid_auth": "Set a valid bot token (xoxb-…).",
    "not_authed": "Set the bot token (xoxb-…).",
    "account_inactive": "Install the app in the workspace again and set its new token.",
    "token_revoked": "Install the app in the workspace again and set its new token.",
    "missing_scope": "Add the scope to the app's manifest and install it again.",
    "plan_upgrade_required": "User groups need a paid Slack plan: name people by their ids in the targets file.",
}


class SlackRefused(Undeliverable):
    """Slack will not do it, and asking again changes nothing.  ``code`` is Slack's own word for why."""

    def __init__(self, method: str, code: str, detail: str = "") -> None:
        advice = _ADVICE.get(code, f"Look it up at docs.slack.dev/reference/methods/{method}.")
        super().__init__(f"Slack refused {method}: {code}{f' ({detail})' if detail else ''}. {advice}")
        self.method = method
        self.code = code


_OUTCOMES = {Busy: "busy", SlackRefused: "refused"}


async def ask(method: str, call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """Await a client call.

    Raises ``Busy`` on 429, ``Unclear`` where it may or may not have happened (a time-out, a lost connection, 5xx),
    ``SlackRefused`` otherwise.  The client must not retry by itself: that is how messages get posted twice.
    """
    began, outcome = time.monotonic(), "unclear"
    try:
        response = await call
        outcome = "ok"
    except SlackApiError as error:
        meant = _meaning(method, error)
        outcome = _OUTCOMES.get(type(meant), outcome)
        raise meant from error
    except (TimeoutError, aiohttp.ClientError, OSError, SlackClientError, ValueError) as error:
        raise Unclear(f"{method}: {type(error).__name__}") from error
    finally:
        telemetry.called("Slack", outcome, time.monotonic() - began)
    return response.data if isinstance(response.data, dict) else {}


def _meaning(method: str, error: SlackApiError) -> Exception:
    response: Any = error.response
    status = getattr(response, "status_code", 0)
    headers = getattr(response, "headers", {}) or {}
    data = getattr(response, "data", None)
    body: Mapping[str, Any] = data if isinstance(data, dict) else {}
    code = str(body.get("error", ""))
    if status == 429 or code in _BUSY:
        return Busy(_seconds(headers))
    if status >= 500 or not code or code in _UNCLEAR:
        return Unclear(f"{method}: HTTP {status} {code}".strip())
    return SlackRefused(method, code, str(body.get("needed", "")))


def _seconds(headers: Mapping[str, Any]) -> float:
    """Retry-After in seconds; one when Slack does not say."""
    found = next((value for name, value in headers.items() if str(name).lower() == "retry-after"), "1")
    try:
        return max(float(found), 0.1)
    except ValueError:
        return 1.0
