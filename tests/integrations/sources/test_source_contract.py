"""What holds for every source of metrics: on the fake New Relic and Render, and on a real Prometheus."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports import StepError
from bot.runbook.readings import Figure, Reading
from tests.integrations.sources.worlds import WORLDS, World

pytestmark = pytest.mark.xdist_group("sources")


@pytest.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with WORLDS[request.param](tmp_path) as made:
        assert request.param == made.source.name
        yield made


def known(found: Reading) -> set[Figure]:
    return {each for each in Figure if found.value(each) is not None}


async def test_the_same_traffic_has_the_same_figures(world: World) -> None:
    """Ten failures of a hundred, the slowest of them 300 ms: rates are fractions of 1, times milliseconds."""
    await world.busy()
    found = await world.until(lambda each: {Figure.ERROR_RATE, Figure.P95} <= known(each) and not each.gaps)

    assert (pytest.approx(0.1), pytest.approx(0.1), pytest.approx(300.0)) == (
        found.error_rate, found.failed_rate, found.p95_ms
    )  # fmt: skip
    assert (found.throughput or 0) > 0
    assert world.source.name == found.source


async def test_no_traffic_is_no_data(world: World) -> None:
    """Not a single zero: each figure it should know is a gap with a reason."""
    found = await world.measure()

    assert set() == known(found)
    assert {Figure.ERROR_RATE, Figure.P95, Figure.THROUGHPUT} <= {each.figure for each in found.gaps}
    assert all(each.why and each.source == world.source.name for each in found.gaps)


async def test_old_data_is_no_data(world: World) -> None:
    """What was measured before the sampling window says nothing about now."""
    await world.busy()
    await world.until(lambda each: each.error_rate is not None)
    await world.old()
    found = await world.until(lambda each: each.error_rate is None)

    assert set() == known(found)
    assert {Figure.ERROR_RATE, Figure.P95} <= {each.figure for each in found.gaps}


async def test_a_source_that_is_away_says_so(world: World) -> None:
    """Nobody listens there: an error for people, with what to do, and no reading that looks healthy."""
    with pytest.raises(StepError) as error:
        await world.away.measure(world.of)
    assert world.source.name in error.value.problem
    assert error.value.advice
