"""The doctor's look at the Slack app: its tokens, its scopes, and the way requests come in.

The scopes stand in a header of every answer (docs.slack.dev/authentication/installing-with-oauth).
"""

import re
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.doctor.findings import Finding, Findings, fail, ok, warn
from bot.ports import Busy, Unclear
from integrations.slack.calls import SlackRefused, ask

#: The bot scopes that manifest.yml asks for.
SCOPES = (
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "commands",
    "files:write",
    "pins:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
_SIGNING = re.compile("[0-9a-f]{32}")
_HERE = ("http://127.0.0.1", "http://localhost")
_INSTALL = "Paste manifest.yml at api.slack.com/apps → App Manifest, and reinstall the app."
_FIX = {
    "bot token": "Copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions; reinstall the app if there is none.",
    "app token": "Make an app-level token with connections:write (Basic Information), and set SLACK__APP_TOKEN.",
}


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What the tokens look like; the tokens themselves stay in their clients."""

    bot_prefix: str
    app_prefix: str = ""
    signing: str = ""  # "good", "odd" or empty


def keys_of(bot: str, app: str, signing: str) -> Keys:
    """Only what may be told of them."""
    shape = "good" if _SIGNING.fullmatch(signing) else "odd" if signing else ""
    return Keys(bot_prefix=bot.partition("-")[0][:8], app_prefix=app.partition("-")[0][:8], signing=shape)


async def look_at_app(client: AsyncWebClient, app_token: str, keys: Keys) -> Findings:
    """Everything that does not depend on a target."""
    found = [*_address(client.base_url), *_ways_in(keys)]
    if keys.bot_prefix != "xoxb":
        why = f"SLACK__BOT_TOKEN begins with “{keys.bot_prefix}”, so it is no bot token."
        return [*found, fail("bot token", why, _FIX["bot token"])]
    answers: list[AsyncSlackResponse] = []

    async def kept() -> AsyncSlackResponse:
        answers.append(await client.auth_test())
        return answers[0]

    if wrong := await _refused("bot token", kept()):
        return [*found, wrong]
    data: Mapping[str, Any] = answers[0].data if isinstance(answers[0].data, dict) else {}
    found.append(ok("bot token", f"connected as {data.get('user', '?')} in {data.get('team', '?')}"))
    found += _scopes(answers[0].headers)
    if keys.app_prefix == "xapp":  # asks for an address to connect to, and does not: nothing is changed by that
        wrong = await _refused("app token", client.apps_connections_open(app_token=app_token))
        found.append(wrong or ok("app token", "Socket Mode: Slack gives it a connection"))
    return found


def _address(url: str) -> Iterator[Finding]:
    if not url.startswith(("https://", *_HERE)):
        why = "The token would go to SLACK__BASE_URL unencrypted."
        yield fail("address", why, "Unset SLACK__BASE_URL, or write an https:// address.")


def _ways_in(keys: Keys) -> Iterator[Finding]:
    """Socket Mode by an app token, HTTP by a signing secret; with both, the first is used."""
    if not keys.app_prefix and not keys.signing:
        why = "Neither SLACK__APP_TOKEN nor SLACK__SIGNING_SECRET is set, so no request can come in."
        yield fail("way in", why, "Set SLACK__APP_TOKEN (Basic Information → App-Level Tokens, connections:write).")
    if keys.app_prefix and keys.app_prefix != "xapp":
        why = f"SLACK__APP_TOKEN begins with “{keys.app_prefix}”, so it is no app-level token."
        yield fail("app token", why, _FIX["app token"])
    if keys.app_prefix and keys.signing:
        why = "SLACK__APP_TOKEN and SLACK__SIGNING_SECRET are both set; Socket Mode is used."
        yield warn("way in", why, "Unset the one that you do not want.")
    elif keys.signing == "odd":
        why = "SLACK__SIGNING_SECRET is not 32 hexadecimal digits, so every request would be refused."
        yield fail("signing secret", why, "Copy the Signing Secret from Basic Information → App Credentials.")
    elif keys.signing:
        yield ok("signing secret", "HTTP mode: the signing secret looks right; only a request can prove it")


def _scopes(headers: Mapping[str, Any]) -> Iterator[Finding]:
    given = next((value for name, value in headers.items() if str(name).lower() == "x-oauth-scopes"), None)
    if given is None:
        yield warn("scopes", "Slack did not say which scopes the token has.", "Compare them with manifest.yml by hand.")
        return
    has = {each.strip() for each in str(given).split(",") if each.strip()}
    if missing := sorted(set(SCOPES) - has):
        why = f"The token lacks {', '.join(missing)}."
        yield fail("scopes", why, _INSTALL)
    elif more := sorted(has - set(SCOPES)):
        why = f"The token has more than it needs: {', '.join(more)}."
        yield warn("scopes", why, _INSTALL)
    else:
        yield ok("scopes", f"the {len(has)} of manifest.yml")


async def _refused(check: str, call: Awaitable[AsyncSlackResponse]) -> Finding | None:
    """What is wrong with the token, if anything is."""
    try:
        await ask(check, call)
    except SlackRefused as refused:
        return fail(check, f"Slack says {refused.code}.", _FIX[check])
    except (Busy, Unclear) as unclear:
        fix = "Check that the bot's host reaches slack.com, and SLACK__BASE_URL."
        return fail(check, f"Slack gave no answer ({unclear or type(unclear).__name__}).", fix)
    return None
