"""The PostgreSQL steps, put together: the one thing the wiring needs of this folder."""

from collections.abc import Mapping

from bot.ports import StepAdapter
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.backup import Backup
from integrations.postgres.go_back import GoBack
from integrations.postgres.settings import Limits
from integrations.postgres.verify import Verify
from integrations.postgres.verify_back import VerifyBack


def build(limits: Limits | None = None) -> Mapping[StepName, StepAdapter]:
    """Every step of this folder by its name; they know their target from each step's context."""
    chosen = limits or Limits()
    return {
        StepName.BACKUP: Backup(chosen),
        StepName.APPLY: Apply(chosen),
        StepName.VERIFY: Verify(chosen),
        StepName.GO_BACK: GoBack(chosen),
        StepName.VERIFY_BACK: VerifyBack(chosen),
    }
