"""The message that speaks when the bot cannot: left with Slack ahead of time, put off while the bot lives."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from bot.demo import cast
from bot.demo.workspace import Workspace
from bot.engine import Engine
from bot.runbook import intents as i
from bot.runbook.run import Run
from bot.runbook.timers import DEADMAN_AHEAD, DEADMAN_EVERY
from bot.settings import SlackSettings
from bot.wiring import slack_client
from integrations.slack.channel import SlackChannel
from tests.kit import DANA, backstage, plan, reaches, ready, small_steps, with_steps
from tests.staff import staffed


class Shifted:
    """The time of day, which a test may move forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Shifted:
    """One clock for the bot and for Slack."""
    return Shifted()


@pytest.fixture
async def workspace(clock: Shifted) -> AsyncIterator[Workspace]:
    """A workspace that goes by the test's clock."""
    made = Workspace(cast.seed(), clock=clock)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def dsn(store_dsn: str) -> str:
    """A store with the bot's schema."""
    await ready(store_dsn)
    return store_dsn


def _channel(workspace: Workspace, clock: Shifted) -> SlackChannel:
    seed = workspace.core.seed
    client = slack_client(SlackSettings(bot_token=seed.bot_token, base_url=workspace.api_url))
    return SlackChannel(client, clock=clock)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not true():
            await asyncio.sleep(0.02)


async def _begun(engine: Engine) -> Run:
    """A run that waits for its first answer."""
    run = await engine.start(plan(channel=cast.ENGINEERING))
    return await reaches(engine, run.id, lambda found: found.question is not None, seconds=30)


def _alarms(workspace: Workspace) -> list[str]:
    """What Slack itself posted for the bot."""
    return [message["text"] for message in workspace.messages(cast.ENGINEERING) if "metadata" not in message]


async def test_it_is_left_ahead_and_put_off_while_the_bot_lives(dsn: str, workspace: Workspace, clock: Shifted) -> None:
    """One message, ten minutes ahead; four minutes later it is another one, later again."""
    async with staffed(dsn, _channel(workspace, clock), now=clock) as engine:
        run = await _begun(engine)
        await _until(lambda: len(workspace.core.scheduled) == 1)
        (first,) = workspace.core.scheduled.values()
        assert 0 <= DEADMAN_AHEAD - (first.post_at - run.started_at) + 30 < 60
        clock.ahead += DEADMAN_EVERY + 30
        await engine.handle(run.id, i.PullCord(person=DANA, reason="wait"))  # the clock looks again
        await _until(lambda: [first.id] != list(workspace.core.scheduled) and len(workspace.core.scheduled) == 1)
        (second,) = workspace.core.scheduled.values()
        assert second.post_at - first.post_at > DEADMAN_EVERY
        assert run.id in str(second.payload["text"])
    assert [] == _alarms(workspace)


async def test_it_is_withdrawn_at_the_end(dsn: str, workspace: Workspace, clock: Shifted) -> None:
    """A run that is over raises no alarm."""
    async with staffed(dsn, _channel(workspace, clock), now=clock) as engine:
        run = await _begun(engine)
        await _until(lambda: len(workspace.core.scheduled) == 1)
        await engine.handle(run.id, i.Abort(person=DANA, reason="enough"))
        await reaches(engine, run.id, lambda found: found.final, seconds=30)
        await _until(lambda: not workspace.core.scheduled)
    clock.ahead += DEADMAN_AHEAD * 2
    workspace.wake()
    assert [] == _alarms(workspace)


async def test_it_is_withdrawn_by_the_next_clock_if_none_lived_at_the_end(
    dsn: str, workspace: Workspace, clock: Shifted
) -> None:
    """The end of a run is in the record, and so is the message that is still out."""
    channel = _channel(workspace, clock)
    async with staffed(dsn, channel, now=clock) as engine:
        run = await _begun(engine)
        await _until(lambda: len(workspace.core.scheduled) == 1)
    async with backstage(dsn, now=clock) as stage:  # nobody works its queue
        driver = with_steps(stage, small_steps())
        await stage.engine.handle(run.id, i.Abort(person=DANA, reason="enough"))
        await driver.drive(run.id)
        assert (await stage.engine.load(run.id)).final
    assert {} != workspace.core.scheduled
    async with staffed(dsn, channel, now=clock):
        await _until(lambda: not workspace.core.scheduled)


async def test_it_appears_when_everything_is_gone(dsn: str, workspace: Workspace, clock: Shifted) -> None:
    """Nobody of ours lives: after ten minutes Slack says where the run stood, who is needed and how to go on."""
    async with staffed(dsn, _channel(workspace, clock), now=clock) as engine:
        run = await _begun(engine)
        await _until(lambda: len(workspace.core.scheduled) == 1)
    clock.ahead += DEADMAN_AHEAD + 60
    workspace.wake()
    await _until(lambda: bool(_alarms(workspace)))
    (alarm,) = _alarms(workspace)
    assert all(part in alarm for part in ("said nothing", run.id, "<@U4>", "python -m bot migrate status"))
    async with backstage(dsn) as stage:
        left = await stage.engine.load(run.id)
        assert (run.state, run.step, run.done) == (left.state, left.step, left.done)
