"""Every broken copy of the core that the exploration must catch."""

from tests.runbook.mutant import Mutant, breed
from tests.runbook.mutants_of_consent import CONSENT
from tests.runbook.mutants_of_order import ORDER

MUTANTS = CONSENT + ORDER

__all__ = ["MUTANTS", "Mutant", "breed"]
