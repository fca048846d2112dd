"""What the crash campaign's tests share."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from bot.demo.postgres import EmbeddedPostgres
from tests.e2e.campaign import play
from tests.e2e.figures import Figures, table
from tests.e2e.nursery import Nursery
from tests.e2e.outcome import Outcome
from tests.e2e.points import Trial
from tests.e2e.troupe import server


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where the bot's processes come from."""
    with Nursery() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crash_server() -> AsyncIterator[EmbeddedPostgres]:
    """The campaign's own server."""
    async with server() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def undisturbed(crash_server: EmbeddedPostgres, nursery: Nursery) -> Outcome:
    """What the run leaves that nobody killed."""
    return (await play(crash_server, nursery, Trial(points=()))).outcome


@pytest.fixture(scope="session")
def figures() -> Iterator[list[Figures]]:
    """What was tried and what came of it; printed at the end, for ``-s``."""
    found: list[Figures] = []
    yield found
    print(f"\n{table(found)}")
