"""New Relic answers 200 also where it refuses, and with nulls where nothing was: each of it is told as it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.demo.http_faults import Fault
from bot.ports import StepError
from bot.runbook.readings import Figure, Reading
from integrations.newrelic.site import NewRelicSite
from integrations.newrelic.source import NewRelic
from tests.integrations.services.making import target
from tests.integrations.sources.newrelic_server import KEY, NerdGraph, Transaction
from tests.integrations.sources.worlds import QUICK


@pytest.fixture
async def fake() -> AsyncIterator[NerdGraph]:
    fake = NerdGraph()
    fake.transactions = [Transaction(error=n == 0, status=500 if n == 0 else 200) for n in range(20)]
    runner = await fake.start()
    yield fake
    await runner.cleanup()


async def measured(fake: NerdGraph, folder: Path, **changed: Any) -> Reading:
    site = replace(NewRelicSite(account=7, key=KEY, apps=("casework-web",), url=fake.url), **changed)
    return await NewRelic(site, client=site.client(QUICK)).measure(target(folder))


def gaps(found: Reading) -> dict[str, str]:
    return {each.figure: each.why for each in found.gaps}


async def test_all_figures_come_with_one_request(fake: NerdGraph, tmp_path: Path) -> None:
    """Twenty answers in two minutes; the database's time is a 95th percentile in ms."""
    found = await measured(fake, tmp_path)
    assert (0.05, 0.05, 100.0, 20.0, 10.0, None) == (
        found.error_rate, found.failed_rate, found.p95_ms, found.latency_ms, found.throughput, found.pool
    )  # fmt: skip
    assert 2 == len(fake.asked)


async def test_only_the_targets_own_services_count(fake: NerdGraph, tmp_path: Path) -> None:
    """By name or by GUID, also with a quote in it."""
    fake.transactions = [Transaction(app="ada\\'s web", error=True), Transaction(app="other")]
    found = await measured(fake, tmp_path, apps=("ada's web",))
    assert 1.0 == found.error_rate
    assert "appName IN ('ada\\'s web')" in fake.asked[0]
    fake.transactions = [Transaction(app="MTIz")]
    assert 0.0 == (await measured(fake, tmp_path, apps=(), entities=("MTIz",))).error_rate


async def test_agents_that_do_not_report_the_status_have_no_failed_requests(fake: NerdGraph, tmp_path: Path) -> None:
    """Zero of none would look healthy."""
    fake.transactions = [replace(each, status=None) for each in fake.transactions]
    found = await measured(fake, tmp_path)
    assert (0.05, None) == (found.error_rate, found.failed_rate)


async def test_services_without_a_database_have_no_latency(fake: NerdGraph, tmp_path: Path) -> None:
    """A null is a gap, and the other figures are there."""
    fake.transactions = [replace(each, database=None) for each in fake.transactions]
    found = await measured(fake, tmp_path)
    assert {Figure.LATENCY: "no database call in the last 120 s"} == gaps(found)
    assert 0.05 == found.error_rate


async def test_half_an_answer_says_which_half(fake: NerdGraph, tmp_path: Path) -> None:
    """One question refused with 200: its figures are gaps in New Relic's words, without the key."""
    fake.refuse["database"] = f"NRQL limit exceeded for {KEY}"
    found = await measured(fake, tmp_path)
    assert {Figure.LATENCY: "NRQL limit exceeded for ***"} == gaps(found)
    fake.refuse = {"requests": "Timed out"}
    found = await measured(fake, tmp_path)
    assert dict.fromkeys((Figure.ERROR_RATE, Figure.P95, Figure.THROUGHPUT), "Timed out") == gaps(found)
    assert 20.0 == found.latency_ms


async def test_nothing_answered_is_an_error(fake: NerdGraph, tmp_path: Path) -> None:
    """Both questions refused, with 200 all the same."""
    fake.refuse = {"database": "Too many requests", "requests": "Too many requests"}
    with pytest.raises(StepError, match="New Relic gave no data: Too many requests"):
        await measured(fake, tmp_path)


EMPTY: dict[str, Any] = {"error_percent": None, "p95": None, "failed": None, "coded": None, "last": None}
ANSWERS: list[Any] = [
    {},
    [],
    {"data": None},
    {"data": {"actor": None}},
    {"data": {"actor": {"account": None}}, "errors": [{"message": None}]},
    {"data": {"actor": {"account": {"requests": None, "database": {"results": None}}}}},
]


@pytest.mark.parametrize("answer", ANSWERS)
async def test_an_answer_without_data_is_an_error(fake: NerdGraph, tmp_path: Path, answer: Any) -> None:
    """Nulls on every level; an account that the key may not see is one of them."""
    fake.answer = answer
    with pytest.raises(StepError, match="New Relic gave no data"):
        await measured(fake, tmp_path)


@pytest.mark.parametrize("row", [{"n": 5, **EMPTY}, {"n": 0, **EMPTY}, {"n": None}, {}, {"n": "5", "p95": "NaN"}])
async def test_nulls_in_a_row_are_gaps(fake: NerdGraph, tmp_path: Path, row: dict[str, Any]) -> None:
    """Never zero, and never an error of ours; requests of an unknown age are no data either."""
    fake.answer = {"data": {"actor": {"account": {"requests": {"results": [row]}, "database": {"results": [None]}}}}}
    found = await measured(fake, tmp_path)
    assert [None] * 6 == [found.value(each) for each in Figure]
    assert {Figure.ERROR_RATE, Figure.P95, Figure.THROUGHPUT, Figure.LATENCY} == set(gaps(found))


@pytest.mark.parametrize("fault", [Fault.LIMITED, Fault.RETRY_AFTER, Fault.ERROR, Fault.LOST, Fault.MALFORMED])
async def test_one_fault_is_got_over(fake: NerdGraph, tmp_path: Path, fault: Fault) -> None:
    """A question may be asked again."""
    fake.faults.next(fault)
    assert 0.05 == (await measured(fake, tmp_path)).error_rate


@pytest.mark.parametrize("fault", [Fault.LIMITED, Fault.ERROR, Fault.MALFORMED])
async def test_faults_that_stay_are_an_error(fake: NerdGraph, tmp_path: Path, fault: Fault) -> None:
    """The next sample is half a minute away: there is no long waiting."""
    fake.faults.next(*[fault] * 5)
    with pytest.raises(StepError, match="New Relic"):
        await measured(fake, tmp_path)


async def test_a_wrong_key_is_named_by_its_variable(fake: NerdGraph, tmp_path: Path) -> None:
    """And never shown."""
    with pytest.raises(StepError) as error:
        await measured(fake, tmp_path, key="NRAK-wrong", key_name="NR_KEY")
    assert "NR_KEY" in error.value.advice
    assert "NRAK" not in f"{error.value.problem} {error.value.advice}"
