"""Everybody presses at once."""

import asyncio
import json
import statistics
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from bot import ledger
from bot.demo import cast
from bot.demo.workspace.player import Button, Done, Player
from bot.demo.workspace.seed import Person
from bot.runbook.run import State
from bot.views.ids import Verb
from tests.commands.office import POLICY, opened

CROWD = tuple(
    Person(id=f"U0CROWD{number:02}", name=f"crowd{number}", real_name=f"Crowd {number}") for number in range(14)
)
CLICKS = 200
PATIENT = 9.0  # seconds
PRESSED = (cast.FIRST_APPROVER, cast.SECOND_APPROVER, cast.OUTSIDER, cast.GUEST, cast.STARTER)


async def test_two_hundred_presses_on_one_question_grant_it_once(store_dsn: str, tmp_path: Path) -> None:
    """Exactly one grant, every press acked and answered, and nothing else recorded.

    How long the acks take is printed: a figure, because a busy machine is no fault of the bot's.
    """
    async with opened(store_dsn, tmp_path, people=CROWD, ack_seconds=PATIENT) as office:
        approvers = POLICY.approvers | {each.id for each in CROWD[:7]}
        run = await office.begins(policy=replace(POLICY, approvers=frozenset(approvers), quorum=2))
        button = await office.button(office.alex, Verb.APPROVE)
        people = [office.people[each] for each in (*PRESSED, *(person.id for person in CROWD))]
        before = {person.user_id: len(person.ephemerals) for person in people}
        presses = [people[number % len(people)] for number in range(CLICKS)]
        results = await asyncio.gather(*(_press(person, button) for person in presses))

        assert [None] * CLICKS == [done.error for done, _ in results]
        wanted = Counter(person.user_id for person in presses)
        async with asyncio.timeout(120):
            while any(len(each.ephemerals) - before[each.user_id] < wanted[each.user_id] for each in people):
                await asyncio.sleep(0.02)
        record = json.loads(await office.record(run.id))
        kinds = Counter(event["kind"] for event in record["events"])
        assert (1, 2) == (kinds["Granted"], kinds["Approved"])
        assert State.WORKING is (await office.engine.load(run.id)).state
        assert "is whole" in await ledger.verify(office.engine, run.id)
        seconds = [each for _, each in results]
        cut = statistics.quantiles(seconds, n=100)
        print(f"\n{CLICKS} presses at once: ack p50 {cut[49] * 1000:.0f} ms, p99 {cut[98] * 1000:.0f} ms")


async def _press(person: Player, button: Button) -> tuple[Done, float]:
    begun = time.perf_counter()
    done = await person.click(button)
    return done, time.perf_counter() - begun
