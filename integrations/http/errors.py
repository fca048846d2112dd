"""What can come of a call to another system.

HttpError (a StepError: what happened, and what to do)
├── NotSent       nobody was reached, nothing was asked
├── NoAnswer      asked, but no usable answer; for a write this is never raised
├── Uncertain     a write that may or may not have had its effect: read the state before doing it again
├── RateLimited   told to come back later than we can wait
├── Denied        the key is wrong, or may not do this
├── Missing       what was named is not there
├── Conflict      not in the state it is in now
└── Rejected      the request itself is not accepted
"""

from bot.ports import StepError


class HttpError(StepError):
    """A call to another system failed.

    ``status`` is the HTTP status (0 without an answer), ``request_id`` what the service's support asks for,
    ``wait`` how many seconds it asked us to stay away, where it said so.
    """

    def __init__(
        self, problem: str, advice: str, *, status: int = 0, request_id: str = "", wait: float | None = None
    ) -> None:
        named = request_id and request_id not in problem
        super().__init__(f"{problem} (request {request_id})" if named else problem, advice)
        self.status = status
        self.request_id = request_id
        self.wait = wait


class NotSent(HttpError):
    """The service could not be reached: nothing was asked of it."""


class NoAnswer(HttpError):
    """Something was asked, and no usable answer came."""


class Uncertain(HttpError):
    """A write was sent, and nobody knows whether it took effect."""


class RateLimited(HttpError):
    """The service asks us to slow down; nothing was done."""


class Denied(HttpError):
    """The key is unknown, or may not do this (401, 403)."""


class Missing(HttpError):
    """What was named does not exist there (404, 410)."""


class Conflict(HttpError):
    """It cannot be done in the state that the thing is in (409)."""


class Rejected(HttpError):
    """The service does not accept the request (any other 3xx and 4xx)."""
