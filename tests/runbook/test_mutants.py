"""The exploration is worth something only if it notices a core that breaks its promises."""

from pathlib import Path
from typing import Any

import pytest

from tests.runbook.explore import DESTROYING, EVERY, FIXABLE, FULL, KEPT_UP, MANUAL, MORE, PREPARED, Violation, explore
from tests.runbook.mutants import DESTRUCTION, FIXING, HANDING, MUTANTS, TIME, TRYING, UPKEEP, WAY_BACK, Mutant, breed

MOST_TELLING = (EVERY[0], EVERY[3], EVERY[7])


#: For the gate every third; ``MIGRATE_BOT_CAMPAIGN=full`` takes all of them.
CHOSEN = MUTANTS if FULL else MUTANTS[::3]


@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda mutant: mutant.name)
def test_every_broken_copy_of_the_core_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    """A mutant is stopped by an invariant that speaks of what was taken away."""
    with pytest.raises(Violation) as caught:
        list(explore(breed(mutant, tmp_path), _plans(mutant)))

    assert caught.value.invariant in mutant.caught_by


def test_no_mutant_gets_lost() -> None:
    """As many as there ever were."""
    assert len(MUTANTS) >= 55


def _plans(mutant: Mutant) -> tuple[dict[str, Any], ...]:
    """The plans in which what a mutant breaks is met soonest."""
    if mutant in DESTRUCTION:
        return DESTROYING
    if mutant in HANDING:
        return (PREPARED,)
    if mutant in UPKEEP:
        return (KEPT_UP,)
    if mutant in TRYING:
        return (MANUAL,)
    if mutant in FIXING:
        return (FIXABLE,)
    return MORE if mutant in (*WAY_BACK, *TIME) else MOST_TELLING


def test_the_real_core_is_not_a_mutant(tmp_path: Path) -> None:
    """A copy without a substitution passes, so it is the substitution that is caught."""
    unchanged = MUTANTS[0].__class__(name="none", module="", was="", becomes="", caught_by=())

    walked = list(explore(breed(unchanged, tmp_path), EVERY[-1:]))

    assert walked[0].nodes
