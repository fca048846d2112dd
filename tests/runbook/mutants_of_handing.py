"""Cores in which a run changes hands too easily."""

from tests.runbook.mutant import Mutant

HANDING: tuple[Mutant, ...] = (
    Mutant(
        name="what the receiver approved is kept",
        module="apply",
        was="question=replace(asked, approvals=_without(asked.approvals, event.to)) if asked else None,",
        becomes="question=asked,",
        caught_by=("i1_hands",),
    ),
    Mutant(
        name="anybody takes what was offered to somebody",
        module="hand_over",
        was="if offered.to != person.id:",
        becomes="if False:",
        caught_by=("i1_hands",),
    ),
    Mutant(
        name="the receiver approved what is being done",
        module="hand_over",
        was="if any(each.person == person.id for each in given):",
        becomes="if False:",
        caught_by=("i1_hands",),
    ),
    Mutant(
        name="who started it approves after handing it over",
        module="run",
        was="return frozenset({self.plan.starter, self.plan.author, *(each.to for each in self.passed)})",
        becomes="return frozenset({self.executor})",
        caught_by=("i1_consent", "i1_hands"),
    ),
)
