"""Cores that go back further, sooner or by another way than was agreed to."""

from tests.runbook.mutant import Mutant

WAY_BACK: tuple[Mutant, ...] = (
    Mutant(
        name="envelope ignores rows",
        module="rungs",
        was="if option.rows is None or option.rows > self.rows:",
        becomes="if option.rows is None:",
        caught_by=("i1_without_asking",),
    ),
    Mutant(
        name="unknown loss is no loss",
        module="rungs",
        was="if option.rows is None or option.rows > self.rows:",
        becomes="if (option.rows or 0) > self.rows:",
        caught_by=("i1_without_asking",),
    ),
    Mutant(
        name="envelope ignores time",
        module="rungs",
        was="if option.seconds is None or option.seconds > self.minutes * 60:",
        becomes="if option.seconds is None:",
        caught_by=("i1_without_asking",),
    ),
    Mutant(
        name="no breach needed",
        module="decide",
        was="if run.breach is None or option is None or run.rung_wanted is not None or run.attempt:",
        becomes="if option is None or run.rung_wanted is not None or run.attempt:",
        caught_by=("i1_without_asking",),
    ),
    Mutant(
        name="choice of people ignored",
        module="decide",
        was="if run.breach is None or option is None or run.rung_wanted is not None or run.attempt:",
        becomes="if run.breach is None or option is None or run.attempt:",
        caught_by=("i1_without_asking",),
    ),
    Mutant(
        name="impossible way picked",
        module="decide_people",
        was="if option is None or not option.possible:",
        becomes="if option is None:",
        caught_by=("i1_rung",),
    ),
    Mutant(
        name="anybody picks the way",
        module="decide_people",
        was="authority.steerer(run, intent.person)\n    option = next(",
        becomes="option = next(",
        caught_by=("i1_rung",),
    ),
    Mutant(
        name="old approval for another way",
        module="apply",
        was="state=State.PREPARING, question=None, grant=None, rung_wanted=rung, way=None, since=at)",
        becomes="rung_wanted=rung, way=None, since=at)",
        caught_by=("i1_rung",),
    ),
    Mutant(
        name="criterion not acted on",
        module="decide",
        was="return (failed, *_opens_way_back(run, intent.criterion, intent.problem, now))",
        becomes="return (failed,)",
        caught_by=("i7_way_back",),
    ),
    Mutant(
        name="deadline told for ever",
        module="apply",
        was="return replace(run, deadline_told=2 if passed else 1)",
        becomes="return run",
        caught_by=("i3_asks_again", "i2_said_twice"),
    ),
)
