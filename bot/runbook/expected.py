"""How long a step is expected to take, in plain values that a plan can keep."""

from dataclasses import dataclass

from bot.runbook.steps import StepName


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One step's time.  In nine of ten cases it is done within ``seconds``; ``basis`` says where that comes from."""

    step: StepName
    seconds: float
    basis: str
