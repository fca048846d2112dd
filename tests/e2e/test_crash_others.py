"""The crash campaign's other processes: the web process at a click, the clock and the worker at a status post."""

import contextlib
import itertools
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from bot import store
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.workspace.player import Button, Player
from bot.runbook.run import Run
from bot.views.ids import Verb, decode_value
from tests.conftest import short_folder
from tests.e2e.campaign import Company, followed
from tests.e2e.crashing import died_of
from tests.e2e.nursery import Nursery
from tests.e2e.outcome import Outcome, difference, look
from tests.e2e.points import Trial, Variant
from tests.e2e.troupe import ALEX, PRIYA, QUICK, Production, production

pytestmark = pytest.mark.xdist_group("crash")  # one server, and one undisturbed run

EVERY = 0.7  # seconds between status posts
NOBODY = Trial(points=())


@pytest.mark.parametrize(
    "point", ["intent Approve", "commit Approved", "committed Approved", "committed Approved Granted"]
)
async def test_a_click_counts_once_though_its_answer_never_came(
    point: str, crash_server: EmbeddedPostgres, nursery: Nursery, undisturbed: Outcome
) -> None:
    """The web process dies between commit and ack, or before; the person sees an error and clicks again."""
    with short_folder() as folder:
        async with production(crash_server, nursery, folder) as made, AsyncExitStack() as stack:
            run = await made.begin()
            company = Company(made, NOBODY)
            players = [
                await stack.enter_async_context(Player(made.workspace.url, person.id)) for person in (ALEX, PRIYA)
            ]
            made.start("web", point)
            await made.workspace.wait_connected()

            answers = [await _approve_the_first(made, player) for player in players]
            run = await followed(made, run, company)
            outcome = await look(made, run)

            assert [point] == died_of(made.kills)
            assert 1 == sum(answer is not None for answer in answers)
            assert [] == difference(undisturbed, outcome)


async def _approve_the_first(made: Production, player: Player) -> str | None:
    """Click, and click again when no answer came and the button is still there; the error that was seen."""
    error = (await player.click(await _first(player, 60))).error
    if error is not None:
        made.start("web")
        await made.workspace.wait_connected()
        with contextlib.suppress(TimeoutError):
            await player.click(await _first(player, 2))
    return error


async def _first(player: Player, seconds: float) -> Button:
    """The button that approves the first question."""
    return await player.wait_button(
        Verb.APPROVE.id, pred=lambda button: decode_value(button.value or "").number == 1, timeout=seconds
    )


@pytest.mark.parametrize(
    ("process", "points"),
    [
        ("clock", ("fire status", "fired status")),
        ("worker", ("intent Tick", "commit StatusPosted", "committed StatusPosted", "post status", "posted status")),
    ],
)
@pytest.mark.parametrize("variant", [Variant.ONE, Variant.TWO], ids=str)
async def test_a_status_post_is_neither_lost_nor_doubled(
    process: str,
    points: tuple[str, ...],
    variant: Variant,
    crash_server: EmbeddedPostgres,
    nursery: Nursery,
    undisturbed: Outcome,
) -> None:
    """Every slot is taken once and said once, whoever of clock and worker dies over it."""
    with short_folder() as folder:
        async with production(crash_server, nursery, folder, clock=False) as made:
            run = await made.begin(replace(QUICK, status_every=EVERY, monitor_for=4.0))
            trial = Trial(points=points, variant=variant)
            companies = [Company(made, trial if name == process else NOBODY, name) for name in ("worker", "clock")]
            run = await followed(made, run, *companies)
            outcome = await look(made, run)
            slots = await _slots(made, run)

            assert set(points) == set(died_of(made.kills))
            assert all(later - earlier >= EVERY for earlier, later in itertools.pairwise(slots))
            assert len(slots) == sum(count for line, count in outcome.said.items() if line.startswith("status: "))
            assert [] == difference(_without_status(undisturbed), _without_status(outcome))


async def _slots(made: Production, run: Run) -> list[float]:
    async with made.engine.connection() as conn:
        return [each.at for each in await store.entries(conn, run.id) if each.kind == "StatusPosted"]


def _without_status(outcome: Outcome) -> Outcome:
    said = {line: count for line, count in outcome.said.items() if not line.startswith(("status: ", "announcement: "))}
    return replace(outcome, events=tuple(each for each in outcome.events if each != "StatusPosted"), said=said)
