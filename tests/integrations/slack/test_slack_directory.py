"""``SlackDirectory`` against the local workspace: who people are, and closed when Slack does not say."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import Channel as Room
from bot.demo.workspace import Person as Member
from bot.demo.workspace import Seed, UserGroup, Workspace
from bot.runbook.people import Person, Policy
from integrations.slack.directory import SlackDirectory, WhoIsUnknown

PEOPLE = (
    Member(id="U0ANA", name="ana", real_name="Ana Able"),
    Member(id="U0GUEST", name="gail", real_name="Gail Guest", is_restricted=True),
    Member(id="U0SINGLE", name="gus", real_name="Gus Guest", is_restricted=True, is_ultra_restricted=True),
    Member(id="U0GONE", name="gone", real_name="Gone", deleted=True),
    Member(id="U0ROBOT", name="robot", real_name="Robot", is_bot=True),
    Member(id="U0FAR", name="sam", real_name="Sam", is_stranger=True, team_id="T0OTHER"),
)
SEED = Seed(
    bot=Member(id="U0BOT", name="migrate", real_name="Migrate", is_bot=True),
    users=PEOPLE,
    channels=(Room(id="C0ENG", name="engineering", members=("U0ANA", "U0BOT")),),
    usergroups=(UserGroup(id="S0DBA", handle="dba", users=("U0ANA", "U0FAR")),),
)
POLICY = Policy(approvers=frozenset({"S0DBA", "U0GUEST"}))


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    """A local workspace with all sorts of people."""
    workspace = Workspace(SEED)
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(workspace: Workspace, clock: Clock) -> SlackDirectory:
    """The adapter under test."""
    client = AsyncWebClient(token=SEED.bot_token, base_url=workspace.api_url, retry_handlers=[])
    return SlackDirectory(client, clock=clock)


async def test_a_member_comes_with_their_groups(directory: SlackDirectory) -> None:
    """A full member is known by name, with those groups of the policy they are in."""
    person = await directory.person("U0ANA", POLICY)

    assert (person.groups, person.guest, person.stranger, person.inactive) == ({"S0DBA"}, False, False, False)
    assert person.is_one_of(POLICY.approvers)


@pytest.mark.parametrize(
    ("user", "flags"),
    [
        ("U0GUEST", {"guest"}),
        ("U0SINGLE", {"guest"}),
        ("U0GONE", {"inactive"}),
        ("U0ROBOT", {"inactive"}),
        ("U0FAR", {"stranger"}),
        ("U0NOBODY", {"stranger"}),
    ],
)
async def test_who_must_not_steer_is_marked(directory: SlackDirectory, user: str, flags: set[str]) -> None:
    """Guests, deactivated accounts, bots, people of other companies and unknown ones are told apart."""
    person: Person = await directory.person(user, POLICY)

    assert flags == {name for name in ("guest", "stranger", "inactive") if getattr(person, name)}


async def test_people_are_asked_for_anew_and_groups_for_a_minute(
    workspace: Workspace, directory: SlackDirectory, clock: Clock
) -> None:
    """Flags are never cached; a group's members are believed for 60 seconds."""
    await directory.person("U0ANA", POLICY)
    clock.now += 59
    await directory.person("U0ANA", POLICY)
    clock.now += 2
    await directory.person("U0ANA", POLICY)

    called = [method for method, _, _ in workspace.log]
    assert (called.count("users.info"), called.count("usergroups.users.list")) == (3, 2)


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list", "auth.test"])
@pytest.mark.parametrize("kind", ["drop_before", "http_500", "ratelimited"])
async def test_no_answer_means_no(workspace: Workspace, directory: SlackDirectory, method: str, kind: str) -> None:
    """When Slack does not say who somebody is, nothing they ask is done, and they are told to try again."""
    workspace.faults.add(method, kind, times=2)  # type: ignore[arg-type]  # aiohttp itself repeats a read once

    with pytest.raises(WhoIsUnknown, match="Try again"):
        await directory.person("U0ANA", POLICY)


async def test_a_slow_slack_means_no(workspace: Workspace) -> None:
    """Nobody waits longer than Slack lets a command wait."""
    client = AsyncWebClient(token=SEED.bot_token, base_url=workspace.api_url, retry_handlers=[])
    workspace.faults.add("users.info", "slow", seconds=1.0)

    with pytest.raises(WhoIsUnknown, match="in time"):
        await SlackDirectory(client, patience=0.1).person("U0ANA", POLICY)


async def test_an_old_group_is_never_believed(workspace: Workspace, directory: SlackDirectory, clock: Clock) -> None:
    """A minute-old membership does not stand in for an answer that does not come."""
    await directory.person("U0ANA", POLICY)
    clock.now += 61
    workspace.faults.add("usergroups.users.list", "http_500")

    with pytest.raises(WhoIsUnknown):
        await directory.person("U0ANA", POLICY)


async def test_an_unknown_group_is_told_clearly(directory: SlackDirectory) -> None:
    """A group that Slack does not know is a matter of the configuration."""
    policy = replace(POLICY, owners=frozenset({"S0NOWHERE"}))

    with pytest.raises(WhoIsUnknown, match=r"Tell the owners of the bot: Slack refused usergroups\.users\.list"):
        await directory.person("U0ANA", policy)
