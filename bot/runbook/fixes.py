"""What may help a step that failed, other than trying it again as it was: offered with the advice, one button each.

A fix changes how the step is done, so the step is described and asked for anew: nothing of it runs unapproved.
"""

from enum import StrEnum


class Fix(StrEnum):
    """One thing that the bot can do about a failed step."""

    LONGER = "longer"  # a statement may take ``LONGER_BY`` times as long
    WHEN_FREE = "when_free"  # between two tries it waits, without queueing, until whoever holds the lock has gone
    VALIDATE_LATER = "validate_later"  # a constraint is added NOT VALID, and validated in a transaction of its own
    RESOLVE = "resolve"  # Prisma's list is set right (migrate resolve), as far as the schema proves it
    RESTART = "restart"  # the services are stopped and started once more


LONGER_BY = 4.0
PATIENCE = 900.0  # seconds that WHEN_FREE waits in all

TITLES = {
    Fix.LONGER: f"Retry with {LONGER_BY:g}x the statement_timeout",
    Fix.WHEN_FREE: "Retry when the blocker is gone",
    Fix.VALIDATE_LATER: "Retry, validating separately",
    Fix.RESOLVE: "Mark resolved, then retry",
    Fix.RESTART: "Restart the services",
}
MEANING = {
    Fix.LONGER: f"The step is asked for anew, with {LONGER_BY:g} times the statement_timeout it had.",
    Fix.WHEN_FREE: f"The step is asked for anew. It then waits up to {PATIENCE / 60:g} minutes, without queueing for "
    "the lock, until whoever holds it has gone.",
    Fix.VALIDATE_LATER: "The step is asked for anew: the constraint is added NOT VALID, and validated after that in a "
    "transaction of its own, which lets others read and write.",
    Fix.RESOLVE: "The step is asked for anew. The question says what is marked, and by what that is proven.",
    Fix.RESTART: "Stopping and starting the services is asked for; then they are watched from the beginning.",
}
