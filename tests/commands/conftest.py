"""The office, for every test of the counter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.commands.office import Office, opened


@pytest.fixture
async def office(store_dsn: str, tmp_path: Path) -> AsyncIterator[Office]:
    """Everybody at their keyboards, and nothing begun."""
    async with opened(store_dsn, tmp_path) as found:
        yield found
