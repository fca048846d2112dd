"""The crash campaign: whatever is killed, and whenever, the migration ends as if nothing had been."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from bot.demo.postgres import EmbeddedPostgres
from tests.e2e.campaign import Played, play
from tests.e2e.crashing import ANYTHING
from tests.e2e.outcome import Outcome, difference
from tests.e2e.points import Trial, Variant, trials
from tests.e2e.troupe import Nursery, server


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where the bot's processes come from."""
    with Nursery() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pg() -> AsyncIterator[EmbeddedPostgres]:
    """The campaign's own server."""
    async with server() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def undisturbed(pg: EmbeddedPostgres, nursery: Nursery) -> Outcome:
    """What the run leaves that nobody killed."""
    return (await play(pg, nursery, Trial(points=()))).outcome


@pytest.mark.parametrize("trial", trials(), ids=str)
async def test_a_killed_worker_changes_nothing(
    trial: Trial, pg: EmbeddedPostgres, nursery: Nursery, undisturbed: Outcome
) -> None:
    """Ledger, database, backups, services and channel are those of the run that nobody killed."""
    played = await play(pg, nursery, trial)

    assert set(trial.points) == {each for each in played.kills if not each.startswith(ANYTHING)}
    assert [] == difference(undisturbed, played.outcome)
    tell(played)


def tell(played: Played) -> None:
    """One line of the campaign's figures."""
    print(f"{len(played.kills):3} kills {played.seconds:6.1f} s  {played.trial}")
