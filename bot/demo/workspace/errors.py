"""Refusals of the Web API, in Slack's own words."""

from collections.abc import Sequence
from typing import Any

from bot.views.limits import LimitProblem


class SlackError(Exception):
    """An answer `{"ok": false, "error": …}`; `extra` is laid over it."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        return {"ok": False, "error": self.error, **self.extra}


def refused(error: str, found: Sequence[LimitProblem]) -> SlackError:
    """A refusal that lists what is wrong, in the shape Slack gives for `invalid_blocks`."""
    errors = [f"{p.message} [json-pointer:{p.pointer}]" for p in found]
    return SlackError(error, errors=errors, response_metadata={"messages": [f"[ERROR] {e}" for e in errors]})
