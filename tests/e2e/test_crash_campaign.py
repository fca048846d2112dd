"""The crash campaign: whatever is killed, and whenever, the migration ends as if nothing had been."""

from collections.abc import Callable

import pytest

from bot.demo.postgres import EmbeddedPostgres
from tests.e2e.campaign import play
from tests.e2e.crashing import ANYTHING
from tests.e2e.figures import Figures
from tests.e2e.nursery import Nursery
from tests.e2e.outcome import Outcome, difference
from tests.e2e.points import Trial, Variant, trials

pytestmark = pytest.mark.xdist_group("crash")  # one server, and one undisturbed run


@pytest.mark.parametrize("trial", trials(), ids=str)
async def test_a_killed_worker_changes_nothing(
    trial: Trial,
    crash_server: EmbeddedPostgres,
    nursery: Nursery,
    undisturbed: Outcome,
    figures: list[Figures],
    record_property: Callable[[str, object], None],
) -> None:
    """Ledger, database, backups, services and channel are those of the run that nobody killed."""
    played = await play(crash_server, nursery, trial)
    figures.append(Figures.of(played, undisturbed))
    record_property("figures", figures[-1].as_json())

    assert (trial.variant is Variant.AGAIN) == any(each.startswith(ANYTHING) for each in played.kills)
    assert set(trial.points) == {each for each in played.kills if not each.startswith(ANYTHING)}
    assert [] == difference(undisturbed, played.outcome)
