"""What makes a restore quick without touching the server: memory, and statistics beside the comparison."""

import pytest

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from integrations.postgres.connect import session
from integrations.postgres.hurry import analysed, options


async def test_memory_is_never_less_than_the_server_s(pg: EmbeddedPostgres) -> None:
    """More memory for indexes than the server's own setting, and never less."""
    async with session(pg.dsn(), "test") as db:
        assert "maintenance_work_mem=262144kB" in await options(db)

        await db.execute("set maintenance_work_mem = '1GB'")

        assert "maintenance_work_mem=1048576kB" in await options(db)


async def test_analysed_beside_the_comparison(casework: Casework) -> None:
    """Statistics are there afterwards, and the comparison's result, or its error, is what counts."""
    statistics = "select count(*) > 0 from pg_stats where schemaname = 'public' and tablename = 'fresh'"

    async def compared(value: int) -> float:
        return 1 / value

    async with session(casework.owner_dsn, "test") as db:
        await db.execute("create table public.fresh as select n from generate_series(1, 100) n")
        assert 1.0 == await analysed(casework.owner_dsn, "test", compared(1))
        assert (True,) == await (await db.execute(statistics)).fetchone()
    with pytest.raises(ZeroDivisionError):
        await analysed(casework.owner_dsn, "test", compared(0))
