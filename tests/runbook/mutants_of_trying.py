"""Cores that do not listen to whom they asked to try something, or to anybody about the database."""

from tests.runbook.mutant import Mutant

TRYING: tuple[Mutant, ...] = (
    Mutant(
        name="complete though nobody has tried",
        module="decide",
        was="if asked_now(run) and unanswered(run, Moment.AFTER):",
        becomes="if False:",
        caught_by=("tried_by_hand",),
    ),
    Mutant(
        name="one word goes back unasked",
        module="tried",
        was="licensed=False",
        becomes="licensed=True",
        caught_by=("tried_by_hand",),
    ),
    Mutant(
        name="broken needs no words",
        module="tried",
        was="if not intent.works and not note:",
        becomes="if False:",
        caught_by=("tried_by_hand",),
    ),
    Mutant(
        name="blamed for what was broken before",
        module="tried",
        was="moment is Moment.BEFORE or _was_broken(run, check.name):",
        becomes="moment is Moment.BEFORE:",
        caught_by=("tried_by_hand",),
    ),
)

UPKEEP: tuple[Mutant, ...] = (
    Mutant(
        name="statistics by anybody",
        module="upkeep",
        was="    authority.steerer(run, intent.person)\n",
        becomes="",
        caught_by=("kept_up",),
    ),
)
