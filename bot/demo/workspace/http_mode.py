"""HTTP mode: signed requests to the app's request URL instead of Socket Mode."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from bot.demo.workspace.delivery import ACK_SECONDS, Kind, Outcome, Retry

Json = dict[str, Any]
_FORM: Final = "application/x-www-form-urlencoded"


def sign(secret: str, timestamp: str, body: str) -> str:
    """`X-Slack-Signature` of a body (docs.slack.dev/authentication/verifying-requests-from-slack)."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encode(kind: Kind, payload: Json) -> tuple[str, str]:
    """Body and content type: a form for commands and clicks, JSON for events."""
    if kind == "slash_commands":
        return urlencode(payload), _FORM
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}), _FORM
    return json.dumps(payload), "application/json"


class HttpMode:
    """The `Delivery` over HTTP."""

    def __init__(self, *, url: str, secret: str, clock: Any, ack_seconds: float = ACK_SECONDS) -> None:
        self._url, self._secret, self._clock = url, secret, clock
        self._timeout = aiohttp.ClientTimeout(total=ack_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, kind: Kind, payload: Json, *, accepts: bool, retry: Retry | None = None) -> Outcome:
        """Post once; any answer but 200 is a failure, no answer in time a timeout."""
        body, content_type = encode(kind, payload)
        timestamp = str(int(self._clock()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._secret, timestamp, body),
            **_again(retry or Retry()),
        }
        self._session = self._session or aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(self._url, data=body.encode(), headers=headers) as response:
                return _outcome(response.status, await response.text(), accepts)
        except TimeoutError:
            return Outcome(status="timeout")
        except aiohttp.ClientError:
            return Outcome(status="nobody")

    async def close(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()


def _again(retry: Retry) -> Mapping[str, str]:
    if not retry.attempt:
        return {}
    return {"X-Slack-Retry-Num": str(retry.attempt), "X-Slack-Retry-Reason": f"http_{retry.reason}"}


def _outcome(status: int, text: str, accepts: bool) -> Outcome:
    if status != 200:
        return Outcome(status="failed")
    if not (accepts and text):
        return Outcome(status="acked")
    try:
        payload = json.loads(text)
    except json.JSONDecodeError:
        payload = {"text": text}
    return Outcome(status="acked", payload=payload if isinstance(payload, dict) else {"text": text})
