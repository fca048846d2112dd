"""Our clients and stand-ins of Statuspage and PagerDuty against the vendors' own OpenAPI documents.

Everything that goes over the wire in the contracts' stories is held to the document, both ways.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.demo.outside.pagerduty import FakePagerDuty
from bot.demo.outside.served import Served
from bot.demo.outside.statuspage import FakeStatuspage
from bot.outside import Condition, Phase
from bot.outside_settings import PagerDutyConfig, StatusPageConfig
from bot.ports import StepError
from integrations.http.client import Policy
from integrations.pagerduty.build import pagerduty
from integrations.statuspage.build import statuspage
from tests.contracts.openapi import Document, Exchange
from tests.integrations.outside.samples import ALARM, CHANGE, OVER, T0, maintenance, notice

KEY = "a" * 32
QUICK = Policy(answer=5.0, attempts=2, patience=2.0, pause=0.01)


@asynccontextmanager
async def overheard(server: Served, prefix: str) -> AsyncIterator[list[Exchange]]:
    """What goes over the wire from now on."""
    heard: list[Exchange] = []

    @web.middleware
    async def listening(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        response = await handler(request)
        assert isinstance(response, web.Response)
        heard.append(
            Exchange(
                method=request.method, path=request.path.removeprefix(prefix), query=tuple(request.query),
                body=body, status=response.status, answer=json.loads(response.text or "null"),
            )
        )  # fmt: skip
        return response

    server.outermost = listening
    await server.start()
    yield heard
    await server.stop()


async def _statuspage(server: FakeStatuspage) -> None:
    config = StatusPageConfig(page="page1", key_env="K", components={"web": "cmp1"}, url=server.url)
    page = statuspage(config, key=KEY, policy=QUICK)
    for number, (phase, condition) in enumerate(
        [
            (Phase.IN_PROGRESS, Condition.MAINTENANCE),
            (Phase.IN_PROGRESS, Condition.OUTAGE),
            (Phase.VERIFYING, Condition.DEGRADED),
            (Phase.COMPLETED, Condition.OPERATIONAL),
        ]
    ):
        update = maintenance(phase, f"words {number}", condition, at=T0 + number)
        await page.show(notice(update, number), update)
    wrong = statuspage(config.model_copy(update={"components": {"web": "cmp9"}}), key=KEY, policy=QUICK)
    update = maintenance(Phase.IN_PROGRESS, "words", run="m-other")
    with pytest.raises(StepError):
        await wrong.show(notice(update, run="m-other"), update)
    with pytest.raises(StepError):
        await statuspage(config, key="wrong", policy=QUICK).show(notice(update), update)


async def test_statuspage_client_and_stand_in_are_as_documented(facts: Path) -> None:
    """A whole run, a component that is unknown, a wrong key."""
    server = FakeStatuspage(key=KEY, page="page1", components={"cmp1": "Web"})
    document = Document(facts / "statuspage-openapi.json")
    async with overheard(server, "/v1") as heard:
        await _statuspage(server)

    assert {200, 201, 401, 422} == {each.status for each in heard}
    assert [] == [problem for each in heard for problem in document.problems(each)]


async def test_pagerduty_events_client_and_stand_in_are_as_documented(facts: Path) -> None:
    """An alarm, its end, a change event, a wrong key."""
    server = FakePagerDuty(key=KEY, keys={KEY: "PBOT"})
    document = Document(facts / "pagerduty-events-openapi.json")
    async with overheard(server, "/v2") as heard:
        config = PagerDutyConfig(routing_key_env="R", events_url=f"{server.url}/v2", api_url=server.url)
        pager = pagerduty(config, keys={"R": KEY}, policy=QUICK)
        await pager.alarm(notice(ALARM), ALARM)
        await pager.over(notice(OVER, 2), OVER)
        await pager.changed(notice(CHANGE, 3), CHANGE)
        with pytest.raises(StepError):
            await pagerduty(config, keys={"R": "b" * 32}, policy=QUICK).alarm(notice(ALARM), ALARM)

    assert [202, 202, 202, 400] == [each.status for each in heard]
    assert [] == [problem for each in heard for problem in document.problems(each)]


@pytest.mark.parametrize(
    ("file", "exchange"),
    [
        (
            "statuspage-openapi.json",
            Exchange(
                method="POST", path="/pages/p/incidents", query=(), status=201, answer={},
                body={"incident": {"name": "n", "status": "begun"}},
            ),
        ),
        (
            "statuspage-openapi.json",
            Exchange(method="GET", path="/pages/p/incidents", query=("per",), body=None, status=200, answer=[]),
        ),
        (
            "pagerduty-events-openapi.json",
            Exchange(
                method="POST", path="/enqueue", query=(), status=202, answer={"status": "success"},
                body={"routing_key": "k", "event_action": "page"},
            ),
        ),
    ],
    ids=["status", "query", "action"],
)  # fmt: skip
def test_the_judge_sees_what_is_wrong(facts: Path, file: str, exchange: Exchange) -> None:
    """A word of our own, a parameter that is not there: the document would say so."""
    assert [] != Document(facts / file).problems(exchange)
