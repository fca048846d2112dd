"""The arithmetic of losses: held against every history of a small table."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from integrations.postgres.weigh import Figures, weigh

BEFORE = 3  # rows at the copy
ACTS = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "delete"]), st.integers(0, 5), st.booleans()), max_size=8
)


def history(acts: list[tuple[str, int, bool]]) -> tuple[Figures, tuple[int, int, int]]:
    """What PostgreSQL would tell of these acts (kind, which row, committed?), and the truth."""
    old, new, changed, fresh = set(range(BEFORE)), set[int](), set[int](), 100
    counts = {"insert": 0, "update": 0, "delete": 0}
    for kind, which, committed in acts:
        there = sorted(old | new)
        if kind != "insert" and not there:
            continue
        counts[kind] += 1
        if not committed:
            continue
        if kind == "insert":
            fresh += 1
            new.add(fresh)
            continue
        row = there[which % len(there)]
        if kind == "delete":
            old.discard(row)
            new.discard(row)
        changed = (changed | {row}) & (old | new)
    updated = len(changed & old)
    figures = Figures(
        now=len(old | new),
        before=BEFORE,
        changed=len(new) + updated,
        counts=(counts["insert"], counts["update"], counts["delete"]),
    )
    return figures, (len(new), updated, BEFORE - len(old))


@given(acts=ACTS)
def test_what_is_called_exact_is_the_truth(acts: list[tuple[str, int, bool]]) -> None:
    """Whatever was done, done twice, or undone: figures that are called exact are; others fit the exact sums."""
    figures, truth = history(acts)

    found = weigh(figures)

    inserted, updated, deleted = found.counts
    assert not found.exact or truth == found.counts
    assert (figures.changed, figures.net) == (inserted + updated, inserted - deleted)
    assert sum(truth) <= sum(found.counts)


FEW = st.tuples(*[st.integers(0, 2)] * 3)


@given(acts=ACTS, early=FEW, silent=FEW, quiet=st.booleans())
def test_late_reports_prove_nothing(
    acts: list[tuple[str, int, bool]], early: tuple[int, int, int], silent: tuple[int, int, int], quiet: bool
) -> None:
    """Acts from before the copy reported after it, and acts of those still connected not yet reported at all."""
    figures, truth = history(acts)
    assert figures.counts is not None
    told = [count + more for count, more in zip(figures.counts, early, strict=True)]
    if not quiet:
        told = [max(0, count - less) for count, less in zip(told, silent, strict=True)]

    found = weigh(replace(figures, counts=(told[0], told[1], told[2]), quiet=quiet))

    assert not found.exact or truth == found.counts


@given(acts=ACTS, early=FEW)
def test_the_number_of_rows_corrects_the_acts(acts: list[tuple[str, int, bool]], early: tuple[int, int, int]) -> None:
    """Beneath the migration's own updates only acts are known, but never another number of rows than there are."""
    figures, _ = history(acts)
    assert figures.counts is not None
    told = [count + more for count, more in zip(figures.counts, early, strict=True)]

    found = weigh(replace(figures, changed=0, counts=(told[0], told[1], told[2]), own=(0, BEFORE, 0)))

    assert figures.net == found.counts[0] - found.counts[2]
    assert min(found.counts) >= 0


@given(acts=ACTS)
def test_without_statistics_only_what_is_forced_is_exact(acts: list[tuple[str, int, bool]]) -> None:
    """Two exact sums alone prove three figures only where they leave no choice."""
    figures, truth = history(acts)

    found = weigh(Figures(now=figures.now, before=figures.before, changed=figures.changed, counts=None))

    assert not found.exact or truth == found.counts
    assert not (found.exact and found.note)


@given(acts=ACTS, counted=st.booleans())
def test_complete_statistics_prove_more(acts: list[tuple[str, int, bool]], counted: bool) -> None:
    """When nobody is connected the statistics lack nothing: what is called exact is so, counted at the copy or not."""
    figures, truth = history(acts)

    found = weigh(replace(figures, quiet=True, before=BEFORE if counted else None))

    assert not found.exact or truth == found.counts
    assert acts or found.exact


def test_nothing_known_is_said() -> None:
    """No count, no look, no statistics: it is not called nothing."""
    assert not weigh(Figures(now=None, before=5, changed=None, counts=None)).known


def test_unequal_statistics_are_about() -> None:
    """Statistics that have not yet heard of everything prove nothing."""
    found = weigh(Figures(now=10, before=10, changed=1, counts=(0, 0, 0)))

    assert not found.exact


def test_a_refilled_table_was_emptied() -> None:
    """TRUNCATE is in no count of deleted rows; a new file and as many rows inserted give it away."""
    found = weigh(Figures(now=100, before=100, changed=100, counts=(100, 0, 0), redone=True))

    assert (100, 0, 100) == found.counts
