"""The bot's counter as it is wired, in the local workspace: everything is real but what the steps do.

The workspace grants the manifest's scopes and no others.  Nothing moves by itself: ``Office.goes_on`` does what a
worker would do, so a test decides whether a message is already redrawn when somebody presses its button.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from bot import ledger
from bot.demo import cast
from bot.demo.workspace import Channel, Seed, Workspace
from bot.demo.workspace.delivery import ACK_SECONDS
from bot.demo.workspace.player import Button, Done, Player
from bot.demo.workspace.seed import Person as Member
from bot.doctor.findings import Report
from bot.engine import Engine
from bot.jobs.drive import Driver
from bot.jobs.publish import Publisher
from bot.runbook.people import Person, Policy, Timing
from bot.runbook.run import Plan, Run
from bot.runbook.steps import StepName
from bot.settings import SlackSettings
from bot.target import Target
from bot.views.ids import Verb, decode_value
from bot.wiring import bolt_app, slack_client
from commands.desk import Desk
from integrations.slack.channel import SlackChannel
from integrations.slack.directory import SlackDirectory
from tests.kit import FAST, SmallStep, backstage, ready, small_steps, with_steps
from tests.manifest import scopes

STRANGER = "U0SAM0001"
POLICY = Policy(
    approvers=frozenset({cast.APPROVERS_GROUP}),
    owners=frozenset({cast.STARTER}),
    on_call=frozenset({cast.ON_CALL_GROUP}),
)
DANA = Person(id=cast.STARTER, name="dana")
ALEX = Person(id=cast.FIRST_APPROVER, name="alex", groups=frozenset({cast.APPROVERS_GROUP}))
FILES = ("001_priority.sql", "002_index.sql")


def seed() -> Seed:
    """The demo's company with somebody of another company in the channel, and the manifest's scopes."""
    made = cast.seed()
    sam = Member(id=STRANGER, name="sam", real_name="Sam Elsewhere", is_stranger=True, team_id="T0OTHER01")
    channel = replace(made.channels[0], members=(*made.channels[0].members, sam.id))
    return replace(made, users=(*made.users, sam), channels=(channel,), scopes=scopes())


def targets(folder: Path) -> dict[str, Target]:
    """Two targets with migration files; nothing connects to their databases."""
    return {name: _target(name, folder) for name in ("billing", "casework")}


def _target(name: str, folder: Path) -> Target:
    migrations = folder / name
    migrations.mkdir(exist_ok=True)
    for file in FILES:
        (migrations / f"{name}_{file}").write_text("select 1;")
    return Target(
        name=name,
        dsn=f"postgresql://nobody@127.0.0.1:1/{name}_prod",
        channel=cast.ENGINEERING,
        policy=POLICY,
        migrations=migrations,
        backups=folder,
        state=folder,
        timing=FAST,
        checklist=False,
    )


def office_plan(**changes: object) -> Plan:
    """A plan of Dana's on casework that needs one approval a step."""
    made = Plan(
        target="casework",
        database="casework_prod",
        name="Case priority",
        purpose="Urgent cases first",
        migrations=("casework_001_priority.sql",),
        starter=DANA.id,
        starter_name=DANA.name,
        channel=cast.ENGINEERING,
        policy=POLICY,
        services=("web",),
        timing=replace(Timing(), monitor_for=0.5),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Office:
    """The workspace with its people, the engine behind the counter, and the steps."""

    workspace: Workspace
    engine: Engine
    desk: Desk
    driver: Driver
    publisher: Publisher
    steps: Mapping[StepName, SmallStep]
    people: Mapping[str, Player]

    @property
    def dana(self) -> Player:
        """Starts runs, and owns the target."""
        return self.people[cast.STARTER]

    @property
    def alex(self) -> Player:
        """An approver."""
        return self.people[cast.FIRST_APPROVER]

    @property
    def priya(self) -> Player:
        """The other approver."""
        return self.people[cast.SECOND_APPROVER]

    async def begins(self, **changes: object) -> Run:
        """A run of Dana's that has come to its first question, as the channel shows it."""
        run = await self.engine.start(office_plan(**changes))
        return await self.goes_on(run.id)

    async def goes_on(self, run_id: str) -> Run:
        """What a worker does: the steps up to the next wait, and the letters."""
        await self.driver.drive(run_id)
        await self.publisher.publish(run_id)
        return await self.engine.load(run_id)

    async def record(self, run_id: str) -> str:
        """The whole ledger of a run."""
        return await ledger.export(self.engine, run_id)

    async def button(self, person: Player, verb: Verb, *, number: int = 0) -> Button:
        """A button as it stands in the channel now, of question ``number`` where one is named."""

        def wanted(button: Button) -> bool:
            return not number or decode_value(button.value or "").number == number

        return await person.wait_button(verb.id, pred=wanted)


async def told(person: Player, action: Callable[[], Awaitable[Done]]) -> str:
    """Do ``action``; what only this person is then told, by a message or in the modal they sent."""
    before = {message["ts"] for message in _only_theirs(person)}
    person.view_errors.clear()
    done = await action()
    assert done.ok, done.error
    async with asyncio.timeout(60):
        while True:
            if person.view_errors:
                return " ".join(text for errors in person.view_errors.values() for text in errors.values())
            new = [message for message in _only_theirs(person) if message["ts"] not in before]
            if new:
                return str(new[-1]["text"])
            await asyncio.sleep(0.005)


def _only_theirs(person: Player) -> list[dict[str, object]]:
    """Ephemeral messages, and those the bot sent them directly."""
    return [*person.ephemerals, *person.messages(f"D{person.user_id[1:]}")]


@asynccontextmanager
async def opened(
    dsn: str,
    folder: Path,
    *,
    people: tuple[Member, ...] = (),
    only: tuple[str, ...] = (),
    ack_seconds: float = ACK_SECONDS,
    doctor: Callable[[], Awaitable[Report]] | None = None,
) -> AsyncIterator[Office]:
    """The office with everybody (or ``only`` some) at their keyboards; ``people`` are further members."""
    await ready(dsn)
    company = seed()
    if people:
        channel: Channel = company.channels[0]
        members = (*channel.members, *(each.id for each in people))
        company = replace(company, users=(*company.users, *people), channels=(replace(channel, members=members),))
    async with AsyncExitStack() as stack:
        workspace = Workspace(company, ack_seconds=ack_seconds)
        await workspace.start()
        stack.push_async_callback(workspace.stop)
        made = await _assembled(stack, dsn, folder, workspace, doctor)
        for person in company.users:
            if not only or person.id in only:
                player = Player(workspace.url, person.id)
                made.people[person.id] = await stack.enter_async_context(player)  # type: ignore[index]
        yield made


async def _assembled(
    stack: AsyncExitStack,
    dsn: str,
    folder: Path,
    workspace: Workspace,
    doctor: Callable[[], Awaitable[Report]] | None,
) -> Office:
    company = workspace.core.seed
    slack = SlackSettings(bot_token=company.bot_token, app_token=company.app_token, base_url=workspace.api_url)
    client = slack_client(slack)
    stage = await stack.enter_async_context(backstage(dsn))
    desk = Desk(
        engine=stage.engine,
        planner=stage.planner,
        follow_ups=stage.follow_ups,
        games=stage.games,
        directory=SlackDirectory(client),
        targets=targets(folder),
        doctor=doctor,
    )
    handler = AsyncSocketModeHandler(bolt_app(slack, client, desk), company.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    stack.push_async_callback(handler.close_async)
    await workspace.wait_connected()
    steps = small_steps()
    with_steps(stage, steps)  # the queue must know the names of its jobs; nothing takes them here
    return Office(
        workspace=workspace,
        engine=stage.engine,
        desk=desk,
        driver=Driver(stage.engine, steps, desk.targets),
        publisher=Publisher(stage.engine, SlackChannel(client)),
        steps=steps,
        people={},
    )
