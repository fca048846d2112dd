"""The doctor's look at what a target's settings name in Slack: the channel, and the people who decide.

The channel's history is asked for, because that takes no scope that the bot does not need anyway.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator

from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.findings import Finding, Findings, fail, ok, told, warn
from bot.ports import Busy, Directory, Unclear
from bot.runbook.people import Person, Policy
from bot.runbook.refusals import Refusal
from bot.runbook.wording import counted
from bot.target import Target
from integrations.slack.calls import SlackRefused, ask

_USER, _GROUP, _CHANNEL = (re.compile(f"[{first}][A-Z0-9]{{2,}}") for first in ("UW", "S", "CG"))
_MOST = 40  # members of groups that are looked up one by one; users.info allows about 100 a minute
_NOBODY = Policy(approvers=frozenset())


class TargetCheckup:
    """One target's look; ``directory`` says who somebody is, as it does for decisions."""

    def __init__(self, client: AsyncWebClient, directory: Directory, target: Target) -> None:
        self._client = client
        self._directory = directory
        self._target = target

    async def look(self) -> Findings:
        """The channel and the policy."""
        policy, name = self._target.policy, self._target.name
        roles = {"approvers": policy.approvers, "owners": policy.owners, "on_call": policy.on_call}
        channel, people = await asyncio.gather(
            self._channel(), asyncio.gather(*(self._role(role, ids) for role, ids in roles.items()))
        )
        found = [channel, *(finding for each, _ in people for finding in each)]
        if not policy.on_call:
            why = "Nobody is on call: breaches are told to the channel alone, and the checklist cannot be shown."
            found.append(warn("on_call", why, f'Write on_call = ["S…"] under [targets.{name}.policy].'))
        approvers = people[0][1]
        return [*found, *_quorum(approvers, policy, name)]

    async def _channel(self) -> Finding:
        channel = self._target.channel
        if not _CHANNEL.fullmatch(channel):
            why = f"“{channel}” is no channel's id."
            fix = 'Write channel = "C…": the id is at the end of the channel\'s details in Slack.'
            return fail("channel", why, fix)
        try:
            await ask("conversations.history", self._client.conversations_history(channel=channel, limit=1))
        except SlackRefused as error:
            return told("channel", str(error).removeprefix("Slack refused conversations.history: "))
        except (Busy, Unclear) as error:
            return _unanswered("channel", error)
        return ok("channel", f"the bot is in {channel}")

    async def _role(self, role: str, ids: Iterable[str]) -> tuple[list[Finding], set[str]]:
        """Findings, and everybody who can fill the role."""
        found: list[Finding] = []
        people: set[str] = set()
        for each in sorted(ids):
            wrong, active = await (self._group(role, each) if _GROUP.fullmatch(each) else self._user(role, each))
            found += wrong
            people |= active
        if people and not any(each.verdict == "fail" for each in found):
            found.append(ok(role, f"{counted(len(people), 'active member')}"))
        return found, people

    async def _user(self, role: str, user: str) -> tuple[list[Finding], set[str]]:
        if not _USER.fullmatch(user):
            why = f"“{user}” is neither a person's id nor a user group's."
            fix = f"Write ids into {role} of [targets.{self._target.name}.policy]: people U…, user groups S…."
            return [fail(role, why, fix)], set()
        try:
            person = await self._directory.person(user, _NOBODY)
        except Refusal as error:
            return [fail(role, f"{user} could not be looked up: {error.what}", error.next_action)], set()
        if problem := _problem(person):
            fix = f"Take {user} out of {role} of [targets.{self._target.name}.policy], or name somebody else."
            return [fail(role, f"{user} {problem}.", fix)], set()
        return [], {user}

    async def _group(self, role: str, group: str) -> tuple[list[Finding], set[str]]:
        """Its active members; those who are not are left out, as they are when they decide."""
        try:
            answer = await ask("usergroups.users.list", self._client.usergroups_users_list(usergroup=group))
        except SlackRefused as error:
            fix = f"Mend {role} of [targets.{self._target.name}.policy]."
            return [_group_refused(role, group, error, fix)], set()
        except (Busy, Unclear) as error:
            return [_unanswered(role, error)], set()
        members = sorted(str(each) for each in answer.get("users") or ())
        looked = await asyncio.gather(*(self._user(role, each) for each in members[:_MOST]))
        active = {one for _, each in looked for one in each} | set(members[_MOST:])
        if not active:
            why = f"The user group {group} has no active member."
            return [fail(role, why, "Add people to it in Slack, or name another one.")], set()
        return [], active


def _group_refused(role: str, group: str, error: SlackRefused, fix: str) -> Finding:
    if error.code == "no_such_subteam":
        return fail(role, f"There is no user group {group}.", fix)
    return told(role, str(error).removeprefix("Slack refused usergroups.users.list: "))


def _quorum(approvers: set[str], policy: Policy, target: str) -> Iterator[Finding]:
    """Enough people for every question, also when one of them has started the run."""
    there, needed = len(approvers), policy.quorum
    enough = f"{counted(there, 'approver')} for a quorum of {needed}"
    if there < needed:
        why = f"There are only {enough}: no question could ever be approved."
        yield fail("quorum", why, f"Add approvers, or write quorum = {max(1, there)} under [targets.{target}.policy].")
    elif there == needed:
        why = f"There are just {enough}: what destroys data needs one more, and who starts a run may not approve it."
        if policy.self_approval:
            why = f"There are just {enough}: what destroys data needs one approval more."
        yield warn("quorum", why, f"Add an approver to [targets.{target}.policy].")
    else:
        yield ok("quorum", enough)


def _problem(person: Person) -> str:
    if person.stranger:
        return "is not a member of this workspace"
    if person.inactive:
        return "has no active account"
    return "is a guest, and guests decide nothing" if person.guest else ""


def _unanswered(check: str, error: Exception) -> Finding:
    return fail(check, f"Slack gave no answer ({error or type(error).__name__}).", "Try again in a minute.")
