"""Cores that cross into a step which does not end in time."""

from tests.runbook.mutant import Mutant

TIME: tuple[Mutant, ...] = (
    Mutant(
        name="begins however late",
        module="decide",
        was="if run.attempt == 0 and (late := too_late(run, now)):",
        becomes="if late := '':",
        caught_by=("i8_window",),
    ),
    Mutant(
        name="asks however late",
        module="decide",
        was="    if late := too_late(run, now):\n        return pause(",
        becomes="    if late := '':\n        return pause(",
        caught_by=("i8_window",),
    ),
    Mutant(
        name="the way back takes no time",
        module="window",
        was="if rest + back > left:",
        becomes="if rest > left:",
        caught_by=("i8_window",),
    ),
    Mutant(
        name="resumed without more time",
        module="decide_people",
        was="if late := too_late(run, now):\n            raise",
        becomes="if late := '':\n            raise",
        caught_by=("i8_window",),
    ),
    Mutant(
        name="anybody extends the window",
        module="decide_people",
        was="authority.steerer(run, intent.person)\n    end = run.window_end",
        becomes="end = run.window_end",
        caught_by=("i8_window",),
    ),
    Mutant(
        name="the change is held up half-way",
        module="window",
        was="return ahead and run.database_state is Database.UNTOUCHED",
        becomes="return run.route is Route.FORWARD",
        caught_by=("i8_window", "i7_offered", "i4_services"),
    ),
)
