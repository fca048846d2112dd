"""``HttpClient``: calls one other system.  Reads are repeated; a write only where that can do no harm."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from bot import telemetry
from integrations.http.answer import Answer, Mask, error_of, request_id
from integrations.http.errors import HttpError, NoAnswer, NotSent, RateLimited, Uncertain

logger = structlog.get_logger(__name__)
Params = Mapping[str, str | int | float | Sequence[str]]
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The system that is called.

    ``headers`` go with every request and hold its key; ``secrets`` are masked in everything it says; ``key`` names
    for people where the key is configured, e.g. ``RENDER_API_KEY``.
    """

    name: str
    url: str
    key: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How patient we are, in seconds.

    ``answer`` bounds one whole request; ``attempts`` and ``patience`` bound all repeats together, with at most
    ``pause`` (and random less) between two where the service does not say.  Limits per minute give a wait of up to
    60 s (Render's headers as recorded), hence the patience.  ``pace`` is the least time between two requests.
    """

    answer: float = 15.0
    attempts: int = 6
    patience: float = 90.0
    pause: float = 8.0
    pace: float = 0.0


class HttpClient:
    """Calls ``origin`` under ``policy``.  A connection lives as long as one call: these systems are asked seldom."""

    def __init__(
        self, origin: Origin, policy: Policy | None = None, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.origin = origin
        self._policy = policy or Policy()
        self._sleep = sleep
        self._mask = Mask(origin.secrets)
        self._tls = httpx.create_ssl_context()
        self._turn = asyncio.Lock()
        self._last = -float("inf")

    async def read(
        self, path: str, *, params: Params | None = None, method: str = "GET", json: object = None
    ) -> Answer:
        """Ask for something; repeated until there is an answer.  ``method`` is for questions that are POSTs.

        Raises ``HttpError``, never ``Uncertain``.
        """

        async def once() -> Answer:
            return await self._ask(method, path, params, json)

        return await self._repeated(once, _worth_repeating)

    async def write(
        self, method: str, path: str, *, json: object = None, params: Params | None = None, repeatable: bool = False
    ) -> Answer:
        """Change something.  Repeated only after an answer that says nothing was done, or when ``repeatable``: the
        service itself sees to it that the same request twice has one effect.

        Raises ``Uncertain`` when the effect is not known: read the state (see ``settled``).
        """

        async def once() -> Answer:
            try:
                return await self._ask(method, path, params, json)
            except NoAnswer as error:
                raise _unknown(error) from None

        return await self._repeated(once, _worth_repeating if repeatable else _surely_not_done)

    async def _repeated(self, once: Callable[[], Awaitable[Answer]], again: Callable[[BaseException], bool]) -> Answer:
        repeats = AsyncRetrying(
            retry=retry_if_exception(again),
            wait=self._pause,
            stop=stop_after_attempt(self._policy.attempts) | stop_before_delay(self._policy.patience),
            sleep=self._sleep,
            before_sleep=self._say,
            reraise=True,
        )
        return await repeats(once)

    async def _ask(self, method: str, path: str, params: Params | None, json: object) -> Answer:
        """One request, bounded as a whole, also against an answer that trickles."""
        await self._paced()
        what, began = f"{method} {path}", time.monotonic()
        try:
            async with asyncio.timeout(self._policy.answer), self._client() as client:
                response = await client.request(method, path, params=_params(params), json=json)
        except (*_NEVER_LEFT, httpx.InvalidURL) as error:
            telemetry.called(self.origin.name, "refused", time.monotonic() - began)
            raise self._not_sent(what, error) from None
        except (httpx.HTTPError, TimeoutError) as error:
            telemetry.called(self.origin.name, "unclear", time.monotonic() - began)
            raise self._no_answer(what, f"no answer ({type(error).__name__})") from None
        number, name = request_id(response.headers), self.origin.name
        log = logger.debug if response.is_success else logger.warning
        seconds = round(time.monotonic() - began, 3)
        telemetry.called(name, _outcome(response.status_code), seconds)
        log("http.answered", service=name, call=what, status=response.status_code, request=number, seconds=seconds)
        if not response.is_success:
            raise error_of(response, service=name, what=what, key=self.origin.key, mask=self._mask)
        return Answer(status=response.status_code, data=self._json(what, response), request_id=number)

    def _client(self) -> httpx.AsyncClient:
        headers = {"Accept": "application/json", "User-Agent": "migrate-bot", **self.origin.headers}
        seconds = httpx.Timeout(self._policy.answer, connect=self._policy.answer / 3)  # so that "never left" is known
        return httpx.AsyncClient(base_url=self.origin.url, headers=headers, verify=self._tls, timeout=seconds)

    def _json(self, what: str, response: httpx.Response) -> object:
        if not response.content.strip():
            return None
        try:
            data: object = response.json()
        except ValueError:
            raise self._no_answer(what, "an answer that is not JSON", request_id(response.headers)) from None
        return data

    def _not_sent(self, what: str, error: Exception) -> NotSent:
        return NotSent(
            f"{self.origin.name} could not be reached for {what} ({type(error).__name__})",
            f"Check the network of the bot's host and the address {self.origin.url}, then retry.",
        )

    def _no_answer(self, what: str, how: str, number: str = "") -> NoAnswer:
        advice = f"Look at the status page of {self.origin.name}, then retry."
        return NoAnswer(f"{self.origin.name} gave {how} to {what}", advice, request_id=number)

    def _pause(self, state: RetryCallState) -> float:
        """What the service asks for, else random and growing, so that many callers do not come back at once."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, HttpError) else None
        grown = wait_random_exponential(multiplier=0.5, max=self._policy.pause)(state)
        return grown if asked is None else asked + grown / 10

    def _say(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        pause = round(state.upcoming_sleep, 1)
        logger.info("http.again", service=self.origin.name, attempt=state.attempt_number, pause=pause, why=str(error))

    async def _paced(self) -> None:
        """Not faster than the service takes requests."""
        if self._policy.pace <= 0:
            return
        async with self._turn:
            await self._sleep(max(0.0, self._last + self._policy.pace - time.monotonic()))
            self._last = time.monotonic()


def _params(params: Params | None) -> dict[str, str | int | float | list[str]] | None:
    """Lists repeat their name; what is empty is not sent."""
    if params is None:
        return None
    return {
        name: value if isinstance(value, str | int | float) else list(value)
        for name, value in params.items()
        if value != ""
    }


def _worth_repeating(error: BaseException) -> bool:
    return isinstance(error, NotSent | NoAnswer | Uncertain | RateLimited)


def _surely_not_done(error: BaseException) -> bool:
    return isinstance(error, NotSent | RateLimited)


def _unknown(error: NoAnswer) -> Uncertain:
    return Uncertain(
        f"{error.problem}, so it is not known whether it was done",
        "Look there whether it was done. A retry looks first, and does not do it twice.",
        status=error.status,
        request_id=error.request_id,
        wait=error.wait,
    )


def _outcome(status: int) -> str:
    if status == 429:
        return "busy"
    return "unclear" if status >= 500 else "refused" if status >= 400 else "ok"
