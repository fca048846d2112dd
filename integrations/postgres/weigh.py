"""Three figures of a table from what is known of it: arithmetic only.

Exact are the numbers of rows (now - before = inserted - deleted) and of rows with a new version (inserted + updated);
what is missing, the statistics add.  They count each act, also undone ones and what was done just before the copy and
not yet reported; and they lack what somebody who is still connected has not yet reported.  So they prove something only
when nobody is.
"""

from dataclasses import dataclass, replace

from integrations.postgres.own import Counts

_NOTHING = (0, 0, 0)
OVERWRITTEN = "the migration wrote over its rows: what people had changed in them before shows in statistics only"
EMPTIED = "the migration rewrote or emptied it"
REWRITTEN = "rewritten, by the migration as it seems: all {rows:,} rows look new"
UNCOUNTED = "rows that were replaced (deleted, and others inserted) show as changed"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Rows ``now`` and ``before``, ``changed`` ones, and ``counts`` of the statistics; ``None`` is unknown.

    ``own`` is what the migration did; ``redone``: the table's file is another; ``redone_by_own``: by the migration;
    ``quiet``: the statistics lack nothing, because nobody is connected.
    """

    now: int | None
    before: int | None
    changed: int | None
    counts: Counts | None
    own: Counts = _NOTHING
    redone: bool = False
    redone_by_own: bool = False
    quiet: bool = False

    @property
    def net(self) -> int | None:
        """Rows more than before, by people's hands."""
        if self.now is None or self.before is None:
            return None
        return self.now - self.before - self.own[0] + self.own[2]

    @property
    def overwritten(self) -> bool:
        """Can people's changes lie beneath the migration's?"""
        return self.own[1] > 0 or self.own[2] > 0 or self.redone_by_own

    @property
    def rewritten(self) -> bool:
        """Do all rows look new, though nobody is known to have written so many?"""
        acts = 0 if self.counts is None else self.counts[0] + self.counts[1]
        return self.redone and bool(self.changed) and self.changed == self.now and acts < (self.changed or 0)

    @property
    def untouched(self) -> bool:
        """Has provably nobody but the migration done anything?  Only emptying a table is not counted."""
        emptied = self.redone and not self.redone_by_own
        return self.quiet and self.counts == _NOTHING and self.changed == 0 and not emptied

    @property
    def agreed(self) -> bool:
        """Each act counted is a row found: a proof, where the statistics lack nothing."""
        if self.counts is None or self.net is None or self.changed is None:
            return False
        inserted, updated, deleted = self.counts
        return inserted - deleted == self.net and inserted + updated == self.changed


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """Rows inserted, updated, deleted; ``known`` is false when nothing at all can be said."""

    counts: Counts
    exact: bool
    note: str = ""
    known: bool = True


def weigh(figures: Figures) -> Weighed:
    """The best three figures there are, and whether they are proven."""
    if figures.agreed and figures.counts is not None:
        return Weighed(counts=figures.counts, exact=figures.quiet or _forced(figures))
    if figures.untouched:
        return Weighed(counts=_NOTHING, exact=True)
    if figures.rewritten:
        told = _counted(replace(figures, changed=None))
        return replace(told, note=REWRITTEN.format(rows=figures.changed))
    if figures.overwritten:
        return _beneath(figures)
    if figures.changed is None:
        return _counted(figures)
    if figures.net is None:
        return _uncounted(figures, figures.changed)
    return _between(figures, figures.net, figures.changed)


def _between(figures: Figures, net: int, changed: int) -> Weighed:
    """Deleted rows lie between two bounds; exact where these meet."""
    low, high = max(0, -net), changed - net
    if low >= high:
        return _of(low, net, changed, exact=low == high)
    if figures.counts is None:
        return _of(low, net, changed, exact=False, note=UNCOUNTED)
    inserted, updated, deleted = figures.counts
    # an emptied table (TRUNCATE) is not in the count of deleted rows
    by_counts = inserted - net if figures.redone else min(deleted, inserted - net)
    low, high = max(low, changed - net - updated), min(high, by_counts)
    best = high if low <= high else min(max(deleted, 0, -net), changed - net)
    return _of(best, net, changed, exact=figures.quiet and low == high)


def _forced(figures: Figures) -> bool:
    """Do the rows alone leave no choice, whatever the statistics say?"""
    net, changed = figures.net or 0, figures.changed or 0
    return not figures.overwritten and max(0, -net) >= changed - net


def _of(deleted: int, net: int, changed: int, *, exact: bool, note: str = "") -> Weighed:
    inserted = max(0, net + deleted)
    return Weighed(counts=(inserted, max(0, changed - inserted), deleted), exact=exact, note=note)


def _beneath(figures: Figures) -> Weighed:
    """The migration has written over the rows: acts are counted, and only the number of rows is exact."""
    note = EMPTIED if figures.redone_by_own else OVERWRITTEN
    changed, net = figures.changed or 0, figures.net or 0
    if figures.counts is not None:
        inserted, updated, deleted = figures.counts
        if figures.net is not None and not figures.redone:
            inserted, deleted = _fewest(inserted, deleted, net)
        return Weighed(counts=(inserted, max(updated, changed - inserted), deleted), exact=False, note=note)
    if figures.redone_by_own:  # fewer rows may be its doing
        return Weighed(counts=(0, changed, 0), exact=False, note=note, known=figures.changed is not None)
    known = figures.changed is not None and figures.net is not None
    return Weighed(
        counts=(max(0, net), max(0, changed - max(0, net)), max(0, -net)), exact=False, note=note, known=known
    )


def _fewest(inserted: int, deleted: int, net: int) -> tuple[int, int]:
    """Acts that are too many (undone, or from before the copy) have left no row; acts that lack are added."""
    surplus = inserted - deleted - net
    inserted, deleted = inserted - max(0, surplus), deleted - max(0, -surplus)
    return (inserted, deleted) if min(inserted, deleted) >= 0 else (max(0, net), max(0, -net))


def _counted(figures: Figures) -> Weighed:
    """The rows themselves were not looked at, or cannot be told apart."""
    if figures.counts is not None:
        return Weighed(counts=figures.counts, exact=False)
    net = figures.net
    if net is None:
        return Weighed(counts=_NOTHING, exact=False, known=False)
    return Weighed(counts=(max(0, net), 0, max(0, -net)), exact=False, note="updates cannot be told")


def _uncounted(figures: Figures, changed: int) -> Weighed:
    """The rows were not counted at the copy."""
    if figures.counts is None:
        return Weighed(counts=(0, changed, 0), exact=False, note="inserted and updated rows cannot be told apart")
    inserted, updated, deleted = figures.counts
    new = min(inserted, changed)
    one_kind = deleted == 0 and 0 in (inserted, updated) and not figures.redone
    counts = (new, changed - new, max(0, deleted - (inserted - new)))
    return Weighed(counts=counts, exact=figures.quiet and one_kind)
