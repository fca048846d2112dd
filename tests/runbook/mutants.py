"""Every broken copy of the core that the exploration must catch."""

from tests.runbook.mutant import Mutant, breed
from tests.runbook.mutants_of_consent import CONSENT
from tests.runbook.mutants_of_destruction import DESTRUCTION
from tests.runbook.mutants_of_fixing import FIXING
from tests.runbook.mutants_of_handing import HANDING
from tests.runbook.mutants_of_order import ORDER
from tests.runbook.mutants_of_time import TIME
from tests.runbook.mutants_of_trying import TRYING, UPKEEP
from tests.runbook.mutants_of_way_back import WAY_BACK

MUTANTS = CONSENT + HANDING + DESTRUCTION + ORDER + WAY_BACK + TIME + FIXING + TRYING + UPKEEP

__all__ = ["DESTRUCTION", "FIXING", "HANDING", "MUTANTS", "TIME", "TRYING", "UPKEEP", "WAY_BACK", "Mutant", "breed"]
