"""The policy of every call to another system, against a real server that fails in every way we know of."""

import time
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate

import httpx
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.demo.http_faults import Fault, Faults
from integrations.http.answer import wait_of
from integrations.http.client import HttpClient, Origin, Policy
from integrations.http.errors import (
    Conflict,
    Denied,
    HttpError,
    Missing,
    NoAnswer,
    NotSent,
    RateLimited,
    Rejected,
    Uncertain,
)
from integrations.http.lenient import at, integer, objects, text, texts
from integrations.http.settle import settled
from tests.integrations.services.making import free_port

SECRET = "rnd_hunter22"  # the key of this test
QUICK = Policy(answer=0.4, attempts=4, patience=30.0)


class Shop:
    """A small system with one counter, which counts what was really done."""

    def __init__(self) -> None:
        self.sold = 0
        self.asked = 0
        self.queries: list[list[tuple[str, str]]] = []
        self.keys: list[str] = []
        self.status, self.body, self.headers = 200, '{"sold": 0}', dict[str, str]()
        self.faults = Faults()
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        app.add_routes([web.get("/v1/sold", self._get), web.post("/v1/sold", self._post)])
        return app

    async def _get(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.queries.append(list(request.query.items()))
        self.keys.append(request.headers.get("Authorization", ""))
        headers = {"Render-Request-Id": "req-7", **self.headers}
        return web.Response(text=self.body, status=self.status, headers=headers, content_type="application/json")

    async def _post(self, _request: web.Request) -> web.Response:
        self.sold += 1
        return web.Response(status=202)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """The shop, open; closed afterwards."""
    shop, port = Shop(), free_port()
    runner = web.AppRunner(shop.app(), shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    shop.url = f"http://127.0.0.1:{port}/v1"
    yield shop
    await runner.cleanup()


def client(url: str, waits: list[float] | None = None, policy: Policy = QUICK) -> HttpClient:
    """A client that writes its waits down instead of waiting."""

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    headers = {"Authorization": f"Bearer {SECRET}"}
    origin = Origin(name="Shop", url=url, key="SHOP_KEY", headers=headers, secrets=(SECRET,))
    return HttpClient(origin, policy, sleep=sleep)


async def test_a_read_is_json_with_its_request_id(shop: Shop) -> None:
    """Lists repeat their name, empty parameters are left out, the key goes in the header."""
    answer = await client(shop.url).read("/sold", params={"resource": ("a", "b"), "limit": 5, "cursor": ""})
    assert (200, {"sold": 0}, "req-7") == (answer.status, answer.data, answer.request_id)
    assert [[("resource", "a"), ("resource", "b"), ("limit", "5")]] == shop.queries
    assert [f"Bearer {SECRET}"] == shop.keys


@pytest.mark.parametrize("fault", [each for each in Fault])
async def test_a_read_is_repeated_over_every_fault(shop: Shop, fault: Fault) -> None:
    """Whatever goes wrong twice, the third answer counts."""
    shop.faults.next(fault, fault)
    assert {"sold": 0} == (await client(shop.url).read("/sold")).data
    assert 2 == len(shop.faults.spoiled)


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.LOST, Fault.HANGS, Fault.MALFORMED])
async def test_a_read_gives_up_in_words(shop: Shop, fault: Fault) -> None:
    """After the last attempt a person is told what to do."""
    shop.faults.next(*[fault] * 4)
    with pytest.raises(NoAnswer, match=r"Shop (gave|answered)") as it:
        await client(shop.url).read("/sold")
    assert "Look at the status page of Shop, then retry." == it.value.advice
    assert 4 == len(shop.faults.spoiled)


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.LOST, Fault.HANGS, Fault.MALFORMED, Fault.ERROR])
async def test_a_write_with_an_unclear_answer_is_not_sent_again(shop: Shop, fault: Fault) -> None:
    """The effect is there once or not at all; which of the two is for the caller to read."""
    shop.faults.next(fault)
    with pytest.raises(Uncertain, match="not known whether it was done"):
        await client(shop.url).write("POST", "/sold", json={})
    assert (0 if fault is Fault.ERROR else 1) == shop.sold


@pytest.mark.parametrize("fault", [Fault.LIMITED, Fault.RETRY_AFTER])
async def test_a_write_that_was_turned_away_is_sent_again(shop: Shop, fault: Fault) -> None:
    """A limit says that nothing was done, so the repeat is the first time."""
    shop.faults.next(fault, fault)
    assert 202 == (await client(shop.url).write("POST", "/sold", json={})).status
    assert 1 == shop.sold


async def test_a_repeatable_write_is_repeated(shop: Shop) -> None:
    """Where the service itself knows a request again, an unclear answer is no reason to stop."""
    shop.faults.next(Fault.LOST)
    await client(shop.url).write("POST", "/sold", json={}, repeatable=True)
    assert 2 == shop.sold


@pytest.mark.parametrize(
    ("fault", "reset", "least"),
    [(Fault.LIMITED, "7", 7.0), (Fault.RETRY_AFTER, "9", 9.0), (Fault.RETRY_AFTER, "http date", 3.0)],
)
async def test_the_service_says_how_long_to_wait(shop: Shop, fault: Fault, reset: str, least: float) -> None:
    """``Ratelimit-Reset`` in seconds, ``Retry-After`` in seconds or as a date: at least that, not much more."""
    shop.faults.reset = formatdate(time.time() + 5, usegmt=True) if reset == "http date" else reset
    shop.faults.next(fault)
    waits: list[float] = []
    await client(shop.url, waits).read("/sold")
    assert least <= waits[0] <= least + 3


async def test_a_wait_beyond_our_patience_is_said_at_once(shop: Shop) -> None:
    """An hourly limit is not waited for: a person is told."""
    shop.faults.reset = "3494"
    shop.faults.next(Fault.LIMITED)
    waits: list[float] = []
    with pytest.raises(RateLimited, match="429 to POST /sold: rate limit exceeded") as it:
        await client(shop.url, waits).write("POST", "/sold")
    assert (3494.0, [], 0) == (it.value.wait, waits, shop.sold)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Ratelimit-Reset": "59"}, 59.0),
        ({"Ratelimit-Reset": "1000000060"}, 60.0),
        ({"X-RateLimit-Reset": "5"}, 5.0),
        ({"Retry-After": "2", "Ratelimit-Reset": "59"}, 2.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({}, None),
    ],
)
def test_limits_in_headers(headers: Mapping[str, str], expected: float | None) -> None:
    """Seconds as really sent, a moment as documented, nonsense as nothing."""
    assert expected == wait_of(httpx.Headers(headers), now=1_000_000_000.0)


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, Rejected, "Check the configuration"),
        (301, Rejected, "Check the configuration"),
        (401, Denied, "Check SHOP_KEY"),
        (403, Denied, "Check SHOP_KEY"),
        (404, Missing, "Check the ids of Shop"),
        (409, Conflict, "Wait until it is over"),
        (422, Rejected, "Check the configuration"),
    ],
)
async def test_a_clear_no_is_not_repeated(shop: Shop, status: int, kind: type[HttpError], advice: str) -> None:
    """The error's type and text say what it is and what to do; the service's words are shown, our key is not."""
    shop.status, shop.body = status, f'{{"message": "no:\\n{SECRET}"}}'
    with pytest.raises(kind, match=rf"Shop answered {status} to GET /sold: no: \*\*\* \(request req-7\)") as it:
        await client(shop.url).read("/sold")
    assert advice in it.value.advice
    assert (status, 1) == (it.value.status, shop.asked)


async def test_nobody_there_is_known_as_not_sent() -> None:
    """Nothing was asked, so even a write is tried again."""
    waits: list[float] = []
    with pytest.raises(NotSent, match=r"Shop could not be reached for POST /sold \(ConnectError\)"):
        await client(f"http://127.0.0.1:{free_port()}", waits).write("POST", "/sold")
    assert 3 == len(waits)


async def test_the_key_is_in_no_error_and_no_log(shop: Shop) -> None:
    """Neither in text nor in representation, whatever is answered."""
    shop.faults.next(*Fault)
    made = client(shop.url)
    with capture_logs() as logs, pytest.raises(HttpError) as it:
        await made.read("/sold")
    assert SECRET not in f"{logs} {it.value!r} {it.value} {made.origin!r}"
    assert {"http.answered", "http.again"} == {line["event"] for line in logs}


async def test_an_effect_that_is_seen_settles_the_question(shop: Shop) -> None:
    """After an unclear answer the state is read, until the effect shows."""
    shop.faults.next(Fault.LOST)
    seen = iter((False, True))

    async def there() -> bool:
        return next(seen)

    assert await settled(client(shop.url).write("POST", "/sold"), there, every=0.01) is None
    assert 1 == shop.sold


async def test_an_effect_that_is_never_seen_stays_uncertain(shop: Shop) -> None:
    """It is not sent again: it may still come."""
    shop.faults.next(Fault.ERROR)

    async def never() -> bool:
        return False

    with pytest.raises(Uncertain):
        await settled(client(shop.url).write("POST", "/sold"), never, seconds=0.0, every=0.01)
    assert 0 == shop.sold


async def test_a_service_with_one_request_a_second_gets_no_more(shop: Shop) -> None:
    """The pace is kept between requests, whatever they are."""
    waits: list[float] = []
    paced = client(shop.url, waits, Policy(pace=1000.0))
    await paced.read("/sold")
    await paced.read("/sold")
    assert 0.0 == waits[0]
    assert 900.0 < waits[1] <= 1000.0


def test_json_is_read_leniently() -> None:
    """Nulls, missing names and other types are nothing; what is there is found."""
    data = {"a": {"b": "x", "n": 3, "flag": True, "none": None}, "list": [{"id": 1}, None, "y"]}
    assert ("x", "", "", "") == (text(data, "a", "b"), text(data, "a", "none"), text(None, "a"), text(data, "a", "n"))
    assert (3, None, None) == (integer(data, "a", "n"), integer(data, "a", "flag"), integer(data, "no"))
    assert (({"id": 1},), ("y",), ()) == (objects(data, "list"), texts(data, "list"), objects(data, "a"))
    assert at(data, "a", "b", "c") is None
