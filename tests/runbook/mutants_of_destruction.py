"""Cores that let a migration destroy something like any other."""

from tests.runbook.mutant import Mutant

DESTRUCTION: tuple[Mutant, ...] = (
    Mutant(
        name="what is destroyed needs no more",
        module="decide",
        was="run.plan.policy.quorum + bool(intent.destroys)",
        becomes="run.plan.policy.quorum",
        caught_by=("i1_destroys",),
    ),
    Mutant(
        name="the approval more is not waited for",
        module="decide_people",
        was="if len(question.approvals) + 1 < run.quorum:",
        becomes="if len(question.approvals) + 1 < run.plan.policy.quorum:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="the question forgets its number",
        module="run",
        was="(self.question.quorum if self.question else 0) or self.plan.policy.quorum",
        becomes="self.plan.policy.quorum",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="the question forgets what is destroyed",
        module="decide",
        was="        destroys=intent.destroys,\n",
        becomes="",
        caught_by=("i1_destroys",),
    ),
    Mutant(
        name="the bots own risk ignored",
        module="decide",
        was="highest((run.plan.risk, intent.risk)) == Risk.HIGH",
        becomes="run.plan.risk == Risk.HIGH",
        caught_by=("i1_destroys",),
    ),
    Mutant(
        name="the run forgets its risk",
        module="apply",
        was="return _judged(asked, question) if question.step is StepName.APPLY else asked",
        becomes="return asked",
        caught_by=("i1_destroys",),
    ),
    Mutant(
        name="asked though nobody can answer",
        module="decide",
        was="if intent.destroys and authority.out_of_reach(run.plan.policy, run.hands, quorum):",
        becomes="if False:",
        caught_by=("i3_never_stuck",),
    ),
)
