"""Freezes from settings, from a calendar file, and from an address that serves one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from bot.demo.processes import free_port
from bot.ports import StepError
from bot.target import Freeze
from integrations.freeze import calendar as module
from integrations.freeze.calendar import FreezeCalendar
from integrations.freeze.ics import events
from tests.kit import target

BUCHAREST = ZoneInfo("Europe/Bucharest")
YEAR = (datetime(2026, 1, 1, tzinfo=UTC).timestamp(), datetime(2027, 2, 1, tzinfo=UTC).timestamp())
CHRISTMAS = "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Christmas"


def ics(*found: str) -> str:
    """A calendar of these events."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for number, each in enumerate(found):
        uid = [] if "UID:" in each else [f"UID:{number}"]
        lines += ["BEGIN:VEVENT", *uid, *each.split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def found(*texts: str, between: tuple[float, float] = YEAR) -> list[tuple[str, str, str]]:
    """Start and end in Bucharest, and why."""
    return [
        (*(f"{datetime.fromtimestamp(at, BUCHAREST):%m-%d %H:%M}" for at in (each.start, each.end)), each.why)
        for each in events(ics(*texts), *between, BUCHAREST)
    ]


def test_whole_days_are_days_of_the_settings_zone() -> None:
    """The end is not included, as RFC 5545 has it; without an end it is that day."""
    assert [("12-24 00:00", "12-27 00:00", "Christmas")] == found(CHRISTMAS)
    assert [("05-01 00:00", "05-02 00:00", "Labour")] == found("DTSTART;VALUE=DATE:20260501\nSUMMARY:Labour")


def test_times_keep_their_own_zone() -> None:
    """In UTC, in a named zone, and in none."""
    assert [("06-01 13:00", "06-01 14:00", "")] == found("DTSTART:20260601T100000Z\nDURATION:PT1H")
    assert [("06-01 20:00", "06-01 21:00", "")] == found("DTSTART;TZID=America/New_York:20260601T130000\nDURATION:PT1H")
    assert [("06-01 10:00", "06-01 11:00", "")] == found("DTSTART:20260601T100000\nDTEND:20260601T110000")


def test_a_series_keeps_its_hour_when_the_clocks_change() -> None:
    """22:00 in Bucharest before and after 25 October; one is left out, the end is in UTC."""
    series = (
        "DTSTART;TZID=Europe/Bucharest:20261013T220000\nDTEND;TZID=Europe/Bucharest:20261014T020000\n"
        "RRULE:FREQ=WEEKLY;UNTIL=20261110T200000Z\nEXDATE;TZID=Europe/Bucharest:20261020T220000\nSUMMARY:Batch"
    )

    assert ["10-13 22:00", "10-27 22:00", "11-03 22:00", "11-10 22:00"] == [each[0] for each in found(series)]


def test_one_of_a_series_was_moved() -> None:
    """It stands where it was moved to, and no longer where it was."""
    series = "UID:s\nDTSTART:20260601T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3"
    moved = "UID:s\nRECURRENCE-ID:20260602T100000Z\nDTSTART:20260602T180000Z\nDURATION:PT1H"

    assert ["06-01 13:00", "06-02 21:00", "06-03 13:00"] == [each[0] for each in found(series, moved)]


def test_dates_that_are_added_to_a_series() -> None:
    """RDATE."""
    series = "DTSTART;VALUE=DATE:20260601\nRDATE;VALUE=DATE:20260701,20260801"

    assert ["06-01 00:00", "07-01 00:00", "08-01 00:00"] == [each[0] for each in found(series)]


def test_a_yearly_freeze_without_an_end() -> None:
    """The one that lies in the time that is asked for, begun long ago; one that began before it counts too."""
    series = "DTSTART;VALUE=DATE:19991220\nDURATION:P14D\nRRULE:FREQ=YEARLY\nSUMMARY:Year end"

    assert [("12-20 00:00", "01-03 00:00", "Year end")] == found(series, between=(YEAR[1] - 40 * 86400, YEAR[1]))


def test_what_was_cancelled_is_none() -> None:
    """STATUS:CANCELLED."""
    assert [] == found(CHRISTMAS + "\nSTATUS:CANCELLED")


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "",
        ics("DTSTART:nonsense\nSUMMARY:x"),
        ics("SUMMARY:no start"),
        ics("DTSTART:20260601T100000Z\nDTEND;VALUE=DATE:20260602"),
        ics("DTSTART:20260601T100000Z\nRRULE:FREQ=SECONDLY"),
        ics("DTSTART:20260101T100000Z\nRRULE:FREQ=WEEKLY;BYDAY=NEVER"),
    ],
)
def test_what_cannot_be_read_is_an_error(text: str) -> None:
    """Never an empty calendar."""
    with pytest.raises(StepError, match="The ICS calendar cannot be used"):
        events(text, *YEAR, UTC)


async def test_settings_and_file_together(tmp_path: Path) -> None:
    """Earliest first; what does not overlap is not told."""
    (tmp_path / "f.ics").write_text(ics(CHRISTMAS))
    own = Freeze(start=YEAR[0] + 10, end=YEAR[0] + 20, why="own")
    past = Freeze(start=0, end=YEAR[0], why="past")
    made = replace(target(), freezes=(own, past), freeze_ics=str(tmp_path / "f.ics"), freeze_zone="Europe/Bucharest")

    assert ["own", "Christmas"] == [each.why for each in await FreezeCalendar().freezes(made, *YEAR)]


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Named, with what to do."""
    with pytest.raises(StepError, match=r"f\.ics cannot be read: No such file"):
        await FreezeCalendar().freezes(replace(target(), freeze_ics=str(tmp_path / "f.ics")), *YEAR)


class Site:
    """Serves a calendar at a secret path."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.text = ics(CHRISTMAS)
        self.address = ""

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(text=self.text, status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Listening on this machine."""
    made, app = Site(), web.Application()
    app.router.add_get("/secret-key.ics", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port(0)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    made.address = f"http://127.0.0.1:{port}/secret-key.ics"
    yield made
    await runner.cleanup()


async def test_an_address_is_fetched_and_believed_for_a_while(site: Site) -> None:
    """Five minutes; then it is fetched anew."""
    time = [0.0]
    calendar = FreezeCalendar(clock=lambda: time[0])
    made = replace(target(), freeze_ics=site.address)

    for at in (0.0, 299.0, 301.0):
        time[0] = at
        assert ["Christmas"] == [each.why for each in await calendar.freezes(made, *YEAR)]
    assert 2 == site.asked


@pytest.mark.parametrize(("status", "words"), [(404, "answered 404"), (302, "answered 302"), (500, "answered 500")])
async def test_an_address_that_does_not_serve_it(site: Site, status: int, words: str) -> None:
    """An error that names the host and never the address; a redirect is not followed."""
    site.status = status

    with pytest.raises(StepError, match=words) as caught:
        await FreezeCalendar().freezes(replace(target(), freeze_ics=site.address), *YEAR)
    assert "secret-key" not in f"{caught.value.problem} {caught.value.advice}"


async def test_a_calendar_that_is_far_too_large(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read to its end."""
    monkeypatch.setattr(module, "LARGEST", 20)

    with pytest.raises(StepError, match="sent more than"):
        await FreezeCalendar().freezes(replace(target(), freeze_ics=site.address), *YEAR)


async def test_nobody_listens() -> None:
    """Said, without the address."""
    address = f"http://127.0.0.1:{free_port(0)}/secret-key.ics"
    with pytest.raises(StepError, match=r"127\.0\.0\.1 did not answer") as caught:
        await FreezeCalendar().freezes(replace(target(), freeze_ics=address), *YEAR)
    assert "secret-key" not in str(caught.value.problem)
