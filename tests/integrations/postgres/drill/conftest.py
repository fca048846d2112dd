"""A hall for every test, empty again afterwards."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bot.demo import casework as sample
from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from tests.integrations.postgres.conftest import Stage
from tests.integrations.postgres.drill.hall import Hall


@pytest_asyncio.fixture
async def hall(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Hall]:
    """The sample on the packaged server."""
    made = Hall(stage=stage, pg=casework_template, casework=casework)
    yield made
    for name in await sample.databases(casework_template):
        if name.startswith(f"{casework.name}_"):
            await sample.drop_database(casework_template, name)
