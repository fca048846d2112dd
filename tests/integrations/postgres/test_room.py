"""Room for a restored copy: asked before the way is offered, and again before it is gone."""

import shutil
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.rungs import Rung
from bot.runbook.steps import StepName
from integrations.postgres.go_back import GoBack
from integrations.postgres.template import HALF_MADE
from integrations.postgres.ways import options_of
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A stage whose left-over databases are removed afterwards."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    yield made
    await made.remove()


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on this host has 1 kB free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))


async def test_a_restore_without_room_is_not_offered(back: Backstage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's disk that would not hold the copy makes the way impossible, with both figures."""
    await back.backup_and_break()
    full(monkeypatch)

    found = {each.rung: each for each in await options_of(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)}

    assert not found[Rung.RESTORE].possible
    assert "the server's disk has 1.0 kB free; a copy needs about" in found[Rung.RESTORE].why


async def test_the_disk_filled_up_meanwhile(back: Backstage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Approved while there was room: nothing is restored into a full disk, and the half-made copy is given up first."""
    await back.backup_and_break()
    context = await back.approved()
    side = back.names.side
    await back.as_superuser(f'create database "{side}" owner casework_owner', "postgres")
    await back.as_superuser(f"comment on database \"{side}\" is '{HALF_MADE}run-7'", "postgres")
    full(monkeypatch)

    with pytest.raises(StepError, match=r"The server's disk has 1\.0 kB free; a copy needs about"):
        await GoBack(QUICK).run(context)

    assert [] == await back.as_superuser(f"select from pg_database where datname = '{side}'", "postgres")
