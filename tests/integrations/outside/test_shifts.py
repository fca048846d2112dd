"""The checklist's question to PagerDuty: is the named engineer the one who is called during the window?"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo import cast
from bot.demo.outside.pagerduty import FakePagerDuty
from bot.demo.workspace import Workspace
from bot.outside_settings import PagerDutyConfig
from bot.ports import StepError
from bot.target import Target
from integrations.pagerduty.build import rest_of
from integrations.pagerduty.shifts import Shifts
from integrations.slack.directory import SlackDirectory
from tests.integrations.outside.test_pager import QUICK, REST
from tests.integrations.services.making import target

START, END = 1763460000.0, 1763467200.0  # 2025-11-18, 10:00 to 12:00 UTC
WHOLE, EARLY, LATE = ("09:00", "13:00"), ("09:00", "11:00"), ("11:00", "13:00")


def shift(name: str, times: tuple[str, str] | None, level: int = 1) -> dict[str, Any]:
    """An entry as /oncalls has it; without times it is for good."""
    start, end = (f"2025-11-18T{each}:00Z" for each in times) if times else (None, None)
    user = {"id": f"P{name.upper()}", "type": "user", "summary": name, "email": f"{name}@EXAMPLE.com"}
    return {"user": user, "schedule": None, "escalation_level": level, "start": start, "end": end}


@pytest.fixture
async def server() -> AsyncIterator[FakePagerDuty]:
    made = FakePagerDuty(key=REST, keys={})
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def casework(tmp_path: Path) -> Target:
    return target(tmp_path)


def shifts(server: FakePagerDuty, casework: Target, address: str = "omar@example.com", key: str = REST) -> Shifts:
    async def addressed(_user_id: str) -> str:
        return address

    config = PagerDutyConfig(routing_key_env="X", api_key_env="PD_REST", schedules=("PSCHED1",), api_url=server.url)
    return Shifts({casework.name: rest_of(config, key, QUICK)}, addressed)


@pytest.mark.parametrize(
    ("listed", "covers", "words"),
    [
        ([shift("omar", WHOLE)], True, "PagerDuty calls omar first during the whole window"),
        ([shift("omar", None)], True, "PagerDuty calls omar first during the whole window"),
        ([shift("omar", LATE), shift("omar", EARLY)], True, "PagerDuty calls omar first during the whole window"),
        (
            [shift("omar", EARLY), shift("noor", LATE)],
            False,
            "PagerDuty calls noor until 2025-11-18 13:00 UTC; omar is on call for a part of it",
        ),
        ([shift("omar", WHOLE, level=2), shift("noor", None)], False, "PagerDuty calls noor"),
        ([], False, "PagerDuty calls nobody first for all of it"),
    ],
    ids=["whole", "for good", "two shifts", "a part", "second level", "nobody"],
)
async def test_the_schedule_has_the_word(
    listed: list[dict[str, Any]], covers: bool, words: str, server: FakePagerDuty, casework: Target
) -> None:
    """Only the first level is called at once, and a gap in the window is nobody's."""
    server.on_call = listed
    assert (covers, words) == await shifts(server, casework).covers(casework, "U1", START, END)


async def test_without_an_address_nobody_is_the_same(server: FakePagerDuty, casework: Target) -> None:
    """Names are not compared: two people may share one."""
    server.on_call = [shift("omar", WHOLE)]
    covers, words = await shifts(server, casework, address="").covers(casework, "U1", START, END)
    assert covers is None
    assert "users:read.email" in words


async def _nobody(_user_id: str) -> str:
    return ""


async def test_a_target_without_a_schedule_is_not_asked(casework: Target) -> None:
    """No words, so the proof goes by the target's own list alone."""
    assert (None, "") == await Shifts({}, _nobody).covers(casework, "U1", START, END)


async def test_a_refusing_pager_says_so(server: FakePagerDuty, casework: Target) -> None:
    """What cannot be asked is not taken for a yes."""
    with pytest.raises(StepError, match="401"):
        await shifts(server, casework, key="another").covers(casework, "U1", START, END)


@pytest.mark.parametrize(
    ("scopes", "address"), [(("users:read", "users:read.email"), "omar@example.com"), (("users:read",), "")]
)
async def test_slack_says_the_address_with_the_scope_for_it(scopes: tuple[str, ...], address: str) -> None:
    """Without the scope the profile simply lacks it."""
    seed = replace(cast.seed(), scopes=scopes)
    workspace = Workspace(seed)
    await workspace.start()
    try:
        client = AsyncWebClient(token=seed.bot_token, base_url=workspace.api_url, retry_handlers=[])
        assert address == await SlackDirectory(client).address(cast.ON_CALL)
    finally:
        await workspace.stop()
