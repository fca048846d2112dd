"""What an answer says: the limits in its headers, its request id, and which error it is."""

import math
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from integrations.http.errors import Conflict, Denied, HttpError, Missing, NoAnswer, RateLimited, Rejected
from integrations.http.lenient import text

RATE_LIMITED = (420, 429)  # Statuspage has used 420
_DENIED = (401, 403)
_MISSING = (404, 410)
_EPOCH = 1e9  # a larger number is a moment in POSIX seconds: Render documents one and sends the seconds left
_WORDS = 300  # characters of a service's own error text that people are shown
_REQUEST_IDS = ("render-request-id", "x-request-id", "request-id")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A successful answer: ``data`` is its JSON, ``None`` for an empty body."""

    status: int
    data: object = None
    request_id: str = ""


def request_id(headers: httpx.Headers) -> str:
    """The service's own name for a request, or nothing."""
    return next((headers[name] for name in _REQUEST_IDS if name in headers), "")


def wait_of(headers: httpx.Headers, *, now: float | None = None) -> float | None:
    """Seconds to stay away: ``Retry-After`` (seconds or a date), else ``RateLimit-Reset`` (seconds, or a moment)."""
    present = time.time() if now is None else now
    if (after := headers.get("retry-after")) is not None:
        return _seconds(after, present)
    for name in ("ratelimit-reset", "x-ratelimit-reset"):
        if (reset := headers.get(name)) is not None:
            return _seconds(reset, present)
    return None


def _seconds(value: str, now: float) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return _until(value, now)
    seconds = number - now if number > _EPOCH else number
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(value: str, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None


def error_of(response: httpx.Response, *, service: str, what: str, key: str, mask: "Mask") -> HttpError:
    """The error that an answer without success is; ``key`` names where the service's key is configured."""
    status, number = response.status_code, request_id(response.headers)
    said = mask(_said(response))[:_WORDS]
    problem = f"{service} answered {status} to {what}{f': {said}' if said else ''}"
    kind, advice = _kind(status, service, key)
    return kind(problem, advice, status=status, request_id=number, wait=wait_of(response.headers))


def _kind(status: int, service: str, key: str) -> tuple[type[HttpError], str]:
    if status in RATE_LIMITED:
        return RateLimited, f"Wait until {service} takes requests again, then retry."
    if status in _DENIED:
        return Denied, f"Check {key}: it must be a key of {service} that may do this. Then retry."
    if status in _MISSING:
        return Missing, f"Check the ids of {service} in the configuration, then retry."
    if status == httpx.codes.CONFLICT:
        return Conflict, f"Look at {service}: something else is being done there. Wait until it is over, then retry."
    if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
        return NoAnswer, f"Look at the status page of {service}, then retry."
    return Rejected, f"{service} does not accept this request as it is. Check the configuration, then retry."


def _said(response: httpx.Response) -> str:
    """The service's own words: ``message`` or ``error`` of its JSON, never a page of HTML."""
    try:
        body = response.json()
    except ValueError:
        return ""
    return text(body, "message") or text(body, "error") or text(body, "error", "message")


class Mask:
    """Hides the given secrets in text, and puts it on one line."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = tuple(each for each in secrets if each)

    def __call__(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return " ".join(words.split())
