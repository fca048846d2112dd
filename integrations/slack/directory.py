"""``SlackDirectory``: who somebody is, asked of Slack for every decision, and closed when Slack does not answer."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Busy, Unclear
from bot.runbook.people import Person, Policy
from bot.runbook.refusals import Unauthorised
from integrations.slack.calls import SlackRefused, ask

_GROUP = re.compile("S[A-Z0-9]{2,}")
_UNKNOWN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
_KEPT = 60.0  # seconds a group's members are believed; usergroups.users.list allows 20 calls a minute
_PATIENCE = 2.0  # seconds: Slack wants its own answer within 3


class WhoIsUnknown(Unauthorised):
    """Slack did not say who this is, so nothing they ask is done."""


class SlackDirectory:
    """Who people are: ``users.info`` anew every time, user groups no older than a minute."""

    def __init__(
        self, client: AsyncWebClient, *, patience: float = _PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._patience = patience
        self._clock = clock
        self._team = ""
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def person(self, user_id: str, policy: Policy) -> Person:
        """The person with the groups that ``policy`` names; raises ``WhoIsUnknown`` when Slack cannot say."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._person(user_id, policy)
        except Busy as busy:
            raise _unknown(f"Slack is busy for {busy.seconds:.0f} s", "Try again then.") from busy
        except (Unclear, TimeoutError) as error:
            raise _unknown("Slack did not answer in time", "Try again in a moment.") from error
        except SlackRefused as error:
            raise _unknown("Slack would not say who you are", f"Tell the owners of the bot: {error}") from error

    async def _person(self, user_id: str, policy: Policy) -> Person:
        try:
            answer = await ask("users.info", self._client.users_info(user=user_id))
        except SlackRefused as error:
            if error.code not in _UNKNOWN:
                raise
            return Person(id=user_id, name=user_id, stranger=True)
        user: Mapping[str, Any] = answer.get("user") or {}
        named = sorted(each for each in policy.approvers | policy.owners | policy.on_call if _GROUP.fullmatch(each))
        groups = [group for group in named if user_id in await self._group(group)]
        return Person(
            id=user_id,
            name=_name(user, user_id),
            groups=frozenset(groups),
            guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            stranger=bool(user.get("is_stranger")) or not await self._ours(user),
            inactive=bool(user.get("deleted") or user.get("is_bot")) or not user,
            zone=str(user.get("tz") or "UTC"),
        )

    async def address(self, user_id: str) -> str:
        """Their e-mail address (scope ``users:read.email``), empty where Slack does not say it."""
        async with asyncio.timeout(self._patience):
            answer = await ask("users.info", self._client.users_info(user=user_id))
        return str(((answer.get("user") or {}).get("profile") or {}).get("email") or "")

    async def _ours(self, user: Mapping[str, Any]) -> bool:
        """Of our own workspace, or of an organisation that has it (Enterprise Grid)."""
        if not self._team:
            self._team = str((await ask("auth.test", self._client.auth_test())).get("team_id", ""))
        teams = (user.get("enterprise_user") or {}).get("teams") or ()
        return bool(self._team) and (user.get("team_id") == self._team or self._team in teams)

    async def _group(self, group: str) -> frozenset[str]:
        """The members of a user group; what is older than a minute is asked anew, never used."""
        at, members = self._members.get(group, (float("-inf"), frozenset()))
        if self._clock() - at <= _KEPT:
            return members
        answer = await ask("usergroups.users.list", self._client.usergroups_users_list(usergroup=group))
        found = frozenset(str(each) for each in answer.get("users") or ())
        self._members[group] = (self._clock(), found)
        return found


def _name(user: Mapping[str, Any], user_id: str) -> str:
    profile = user.get("profile") or {}
    return str(profile.get("display_name") or user.get("real_name") or user.get("name") or user_id)


def _unknown(why: str, next_action: str) -> WhoIsUnknown:
    return WhoIsUnknown(f"{why}, so nothing was recorded.", next_action)
