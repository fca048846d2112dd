"""Things that are good once or for a while: trigger_id, response_url, Socket Mode tickets, names of things."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.demo.workspace.errors import SlackError

TRIGGER_SECONDS: Final = 3.0
RESPONSE_SECONDS: Final = 30 * 60.0
RESPONSE_USES: Final = 5


class Ids:
    """Ids and time stamps that only go up, so a run can be read again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._count = 0
        self._last = 0

    def next(self, prefix: str) -> str:
        """A fresh id such as `V00000A`."""
        self._count += 1
        return f"{prefix}{self._count:07X}"

    def stamp(self) -> str:
        """A fresh ts: epoch seconds with six digits, strictly increasing."""
        self._last = max(self._last + 1, int(self._clock() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


@dataclass(kw_only=True)
class Trigger:
    """Consent of a person to be shown a view: 3 seconds, once."""

    user: str
    born: float
    used: bool = False


@dataclass(kw_only=True)
class Reply:
    """A response_url: where it answers to, and how often it did. `ephemeral`: its source is only theirs."""

    user: str
    channel: str
    born: float
    ts: str | None = None
    thread_ts: str | None = None
    ephemeral: bool = False
    uses: int = 0


@dataclass(kw_only=True)
class Tickets:
    """Everything that runs out."""

    clock: Callable[[], float]
    ids: Ids
    triggers: dict[str, Trigger] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)

    def trigger(self, user: str) -> str:
        """A new trigger_id for this person."""
        name = self.ids.next("1000.2000.")
        self.triggers[name] = Trigger(user=user, born=self.clock())
        return name

    def redeem(self, trigger_id: object) -> str:
        """Use a trigger_id; the person it stands for. Refuses unknown, used and old ones."""
        trigger = self.triggers.get(str(trigger_id))
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock() - trigger.born > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def reply(
        self,
        *,
        user: str,
        channel: str,
        ts: str | None = None,
        thread_ts: str | None = None,
        ephemeral: bool = False,
    ) -> str:
        """A new response_url token."""
        name = self.ids.next("R")
        self.replies[name] = Reply(
            user=user, channel=channel, born=self.clock(), ts=ts, thread_ts=thread_ts, ephemeral=ephemeral
        )
        return name

    def spend(self, token: str) -> Reply:
        """Use a response_url once; refuses after 5 uses or 30 minutes."""
        reply = self.replies.get(token)
        if reply is None:
            raise SlackError("invalid_url")
        if self.clock() - reply.born > RESPONSE_SECONDS:
            raise SlackError("expired_url")
        if reply.uses >= RESPONSE_USES:
            raise SlackError("used_url")
        reply.uses += 1
        return reply

    def link(self) -> str:
        """A new single-use ticket for a Socket Mode connection."""
        name = self.ids.next("ticket")
        self.links.add(name)
        return name

    def enter(self, ticket: str) -> bool:
        """Use a Socket Mode ticket; False when it is unknown or used."""
        if ticket not in self.links:
            return False
        self.links.discard(ticket)
        return True
