"""What no longer counts once the files, the window or the people have changed; it is said, item by item."""

from collections.abc import Iterable
from functools import reduce

from bot.runbook.preparation import events as e
from bot.runbook.preparation.apply import apply
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.preparation.standing import checklist

Events = tuple[e.Event, ...]


def fold(p: Preparation, events: Iterable[e.Event]) -> Preparation:
    """The plan after all of ``events``."""
    return reduce(apply, events, p)


def with_fallen(p: Preparation, events: Events, now: float) -> Events:
    """Add to ``events`` what fell back by them."""
    after = fold(p, events)
    if after.final or p.basis == after.basis or not _shown_by_people(p):
        return events
    before = {each.item for each in checklist(p) if each.standing.met}
    items = tuple(
        each.item
        for each in checklist(after)
        if each.item in before and not each.standing.met and p.basis_of(each.item) != after.basis_of(each.item)
    )
    answers = tuple(
        member.name
        for member in p.draft.team
        if (said := p.answer(member.id)) and said.go and after.answer(member.id) is None
    )
    drill = p.fresh_drill() is not None and after.fresh_drill() is None
    if not (items or answers or drill):
        return events
    changed = tuple(line for each in events if isinstance(each, e.Proved) for line in each.changed)
    fell = e.FellBack(items=items, answers=answers, reason=_reason(p, after), at=now, drill=drill, changed=changed)
    return (*events, fell)


def _shown_by_people(p: Preparation) -> bool:
    """Is there anything that people did or waited for?  A plan that was never looked at has nothing to lose."""
    return bool(p.files or p.ticks or p.waivers or p.answers or p.drill)


def _reason(before: Preparation, after: Preparation) -> str:
    if before.when != after.when:
        return "the window or the team is another one"
    if before.files == after.files:
        return "what the plan says, or what was waived, is another thing now"
    return "the migration files have changed" if after.files else "other migration files were chosen"
