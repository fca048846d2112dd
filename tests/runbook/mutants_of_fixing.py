"""Cores that mend what failed in a way that nobody proposed, or forget how."""

from tests.runbook.mutant import Mutant

FIXING: tuple[Mutant, ...] = (
    Mutant(
        name="a fix that nobody offered",
        module="decide_people",
        was="if intent.fix is not None and intent.fix not in offered_fixes(run):",
        becomes="if False:",
        caught_by=("fixes_as_offered",),
    ),
    Mutant(
        name="a fix is forgotten",
        module="apply",
        was="fixes = (*run.fixes, fix) if fix else run.fixes",
        becomes="fixes = run.fixes",
        caught_by=("fixes_as_offered",),
    ),
    Mutant(
        name="services that restart count as up",
        module="apply",
        was="if event.step in (StepName.STOP_SERVICES, StepName.RESTART_SERVICES):",
        becomes="if event.step is StepName.STOP_SERVICES:",
        caught_by=("i4_services",),
    ),
)
