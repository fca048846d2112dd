"""The exploration is worth something only if it notices a core that breaks its promises."""

from pathlib import Path

import pytest

from tests.runbook.explore import PLANS, Violation, explore
from tests.runbook.mutants import MUTANTS, breed

MOST_TELLING = (PLANS[0], PLANS[6], PLANS[12])


def test_every_broken_copy_of_the_core_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mutant is stopped by an invariant that speaks of what was taken away."""
    noticed = {}
    for mutant in MUTANTS:
        with pytest.raises(Violation) as caught:
            list(explore(breed(mutant, tmp_path), MOST_TELLING))
        noticed[mutant.name] = caught.value.invariant
    expected = {each.name for each in MUTANTS if noticed[each.name] in each.caught_by}

    assert expected == set(noticed), noticed
    assert len(MUTANTS) >= 14
    with capsys.disabled():
        print(f"\nmutants caught {len(noticed)}/{len(MUTANTS)}")


def test_the_real_core_is_not_a_mutant(tmp_path: Path) -> None:
    """A copy without a substitution passes, so it is the substitution that is caught."""
    unchanged = MUTANTS[0].__class__(name="none", module="", was="", becomes="", caught_by=())

    walked = list(explore(breed(unchanged, tmp_path), PLANS[-1:]))

    assert walked[0].nodes
