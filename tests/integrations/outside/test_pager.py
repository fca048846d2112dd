"""One contract for every ``Pager``: an alarm calls once, is over when it is over, and gets through the quiet."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.demo.http_faults import Fault
from bot.demo.outside.pagerduty import FakePagerDuty
from bot.outside import OnCall, Pager
from bot.outside_settings import PagerDutyConfig
from bot.ports import StepError, Unclear
from integrations.console.outside import ConsolePager
from integrations.http.client import Policy
from integrations.pagerduty.build import pagerduty
from tests.fakes_outside import FakePager
from tests.integrations.outside.samples import ALARM, CHANGE, LOUD, OVER, QUIET, T0, notice

ROUTING, CHANGES, REST = "r" * 32, "c" * 32, "rest-key-of-pagerduty"
KEYS = {"PD_ROUTING": ROUTING, "PD_CHANGES": CHANGES, "PD_REST": REST}
QUICK = Policy(answer=0.5, attempts=2, patience=2.0, pause=0.01)


def oncall(name: str, level: int, end: str | None) -> dict[str, Any]:
    """An entry as /oncalls has it; without an end, and then without a schedule, it is for good."""
    user = {"id": f"P{name.upper()}", "type": "user", "summary": name, "email": f"{name.lower()}@example.com"}
    schedule = {"id": "PSCHED1", "type": "schedule_reference"} if end else None
    return {"user": user, "schedule": schedule, "escalation_level": level, "start": None, "end": end}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A pager; what calls somebody, what is open, the change events and the quiet there are now; its faults."""

    pager: Pager
    calls: Callable[[], Sequence[str]]
    open: Callable[[], Sequence[str]]
    changes: Callable[[], int]
    quiets: Callable[[], int]
    fail: Callable[[str], None] = lambda fault: None
    faults: Sequence[str] = ()


@pytest.fixture
async def server() -> AsyncIterator[FakePagerDuty]:
    """A PagerDuty with the bot's own service, the affected one, and somebody on call, at a moment of the samples."""
    people = (oncall("Noor", 1, "2026-11-18T20:00:00Z"), oncall("Sam", 2, None), oncall("Noor", 1, None))
    made = FakePagerDuty(key=REST, keys={ROUTING: "PBOT", CHANGES: "PWEB"}, on_call=people, clock=lambda: T0 + 1)
    await made.start()
    yield made
    await made.stop()


def config(server: FakePagerDuty, **changes: object) -> PagerDutyConfig:
    """All that can be configured."""
    given = {
        "routing_key_env": "PD_ROUTING", "change_key_env": "PD_CHANGES", "api_key_env": "PD_REST",
        "email": "bot@example.com", "services": ("PWEB",), "schedules": ("PSCHED1",),
        "events_url": f"{server.url}/v2", "api_url": server.url, **changes,
    }  # fmt: skip
    return PagerDutyConfig(**given)  # type: ignore[arg-type]


def open_alerts(server: FakePagerDuty) -> list[str]:
    """The alerts that are not resolved."""
    return [number for number, each in server.alerts.items() if each["status"] == "triggered"]


def open_windows(server: FakePagerDuty) -> list[dict[str, Any]]:
    """The windows that have not ended."""
    return [each for each in server.windows.values() if each["end_time"] > "2026-11-18T11:06:42"]


@pytest.fixture(params=["console", "fake", "pagerduty"])
def stage(request: pytest.FixtureRequest, server: FakePagerDuty) -> Stage:
    """Each pager in turn; the last is a real client over HTTP."""
    if request.param == "console":
        return _console()
    if request.param == "fake":
        fake = FakePager()
        return Stage(
            pager=fake, calls=lambda: fake.calls, open=lambda: list(fake.open), changes=lambda: len(fake.changes),
            quiets=lambda: len(fake.quiets), fail=fake.faults.append, faults=("drop_after", "drop_before"),
        )  # fmt: skip

    def fail(fault: str) -> None:
        for method in ("POST", "PUT", "DELETE"):
            server.faults.next(Fault(fault), method=method)

    return Stage(
        pager=pagerduty(config(server), keys=KEYS, policy=QUICK),
        calls=lambda: server.calls,
        open=lambda: open_alerts(server),
        changes=lambda: len(server.changes),
        quiets=lambda: len(open_windows(server)),
        fail=fail,
        faults=tuple(Fault),
    )


def _console() -> Stage:
    printed = io.StringIO()

    def lines(start: str) -> list[str]:
        return [line for line in printed.getvalue().splitlines() if line.startswith(f"[pager] {start}")]

    return Stage(
        pager=ConsolePager(printed),
        calls=lambda: [line.split()[2].rstrip(":") for line in lines("ALARM")],
        open=lambda: ["one"] * (len(lines("ALARM")) - len(lines("over"))),
        changes=lambda: len(lines("change")),
        quiets=lambda: len(lines("quiet")) - len(lines("the affected")),
    )


async def _stubbornly(call: Callable[[], Awaitable[None]]) -> None:
    """As the outbox does it: again until it is told, and once more."""
    for _ in range(4):
        try:
            await call()
        except (StepError, Unclear):
            continue


async def test_an_alarm_calls_once_and_is_over(stage: Stage) -> None:
    """Raised twice while it is open it calls once; what was never raised may be called over."""
    for _ in range(2):
        await stage.pager.alarm(notice(ALARM), ALARM)
    assert ([ALARM.alert], 1) == (list(stage.calls()), len(stage.open()))

    for _ in range(2):
        await stage.pager.over(notice(OVER, 2), OVER)
    assert [] == list(stage.open())


async def test_what_was_never_raised_may_be_called_over(stage: Stage) -> None:
    """The core need not know what the pager was told."""
    await stage.pager.over(notice(OVER), OVER)

    assert [] == list(stage.calls())


async def test_the_quiet_begins_once_and_ends(stage: Stage) -> None:
    """A later end moves it; ending it twice is fine."""
    await stage.pager.quiet(notice(QUIET), QUIET)
    await stage.pager.quiet(notice(QUIET), QUIET)
    assert 1 == stage.quiets()

    for _ in range(2):
        await stage.pager.loud(notice(LOUD, 3), LOUD)
    assert 0 == stage.quiets()


async def test_whatever_happens_to_an_answer_everything_is_told_once(stage: Stage) -> None:
    """Every fault at every verb."""
    for number, fault in enumerate(stage.faults):
        run = f"m-{number}"
        alarm, over = replace(ALARM, alert=f"migration/{run}/stuck"), replace(OVER, alert=f"migration/{run}/stuck")
        quiet = replace(QUIET, reason=f"Database migration {run}: x")
        for call in (
            lambda: stage.pager.quiet(notice(quiet, run=run), quiet),  # noqa: B023
            lambda: stage.pager.changed(notice(CHANGE, run=run), CHANGE),  # noqa: B023
            lambda: stage.pager.alarm(notice(alarm, run=run), alarm),  # noqa: B023
            lambda: stage.pager.over(notice(over, run=run), over),  # noqa: B023
        ):
            stage.fail(fault)
            await _stubbornly(call)

    assert len(stage.faults) == len(stage.calls()) == len(set(stage.calls())) == stage.changes() == stage.quiets()
    assert [] == list(stage.open())


async def test_the_bots_own_pages_get_through_the_quiet(server: FakePagerDuty) -> None:
    """A window silences the affected services only: the bot pages another one."""
    pager = pagerduty(config(server), keys=KEYS, policy=QUICK)
    await pager.quiet(notice(QUIET), QUIET)
    await pager.alarm(notice(ALARM), ALARM)

    assert [ALARM.alert] == server.calls
    assert "PBOT" == server.alerts[ALARM.alert]["service"]
    assert [["PWEB"]] == [[each["id"] for each in window["services"]] for window in open_windows(server)]


async def test_a_window_lasts_until_the_moved_end(server: FakePagerDuty) -> None:
    """One window, not two; its beginning stays."""
    pager = pagerduty(config(server), keys=KEYS, policy=QUICK)
    longer = replace(QUIET, ends=T0 + 7200)
    await pager.quiet(notice(QUIET), QUIET)
    await pager.quiet(notice(longer, 2), longer)
    (window,) = server.windows.values()

    assert "2026-11-18T13:06:40Z" == window["end_time"]


async def test_somebody_elses_window_is_left_alone(server: FakePagerDuty) -> None:
    """Another run's, whose id begins as ours does, and a person's."""
    pager = pagerduty(config(server), keys=KEYS, policy=QUICK)
    for reason in ("Database migration m-4f7k2q9: x", "tidying up"):
        other = replace(QUIET, reason=reason)
        await pager.quiet(notice(other, run=reason.split()[-2]), other)
    await pager.loud(notice(LOUD), LOUD)

    assert 2 == len(open_windows(server))


async def test_who_is_on_call_is_the_first_level(server: FakePagerDuty) -> None:
    """Each person once, with until when; without anything to ask about, nobody."""
    asked = await pagerduty(config(server), keys=KEYS, policy=QUICK).on_call()
    unasked = await pagerduty(config(server, schedules=()), keys=KEYS, policy=QUICK).on_call()

    assert (("Noor",), ()) == (tuple(each.name for each in asked), unasked)
    assert all(isinstance(each, OnCall) for each in asked)


async def test_without_a_rest_key_the_alarms_still_work(server: FakePagerDuty) -> None:
    """Quiet and on-call are left out, and nothing fails."""
    pager = pagerduty(
        config(server, api_key_env="", services=(), schedules=(), email=""), keys=KEYS, policy=QUICK
    )  # fmt: skip
    await pager.quiet(notice(QUIET), QUIET)
    await pager.loud(notice(LOUD), LOUD)
    await pager.alarm(notice(ALARM), ALARM)

    assert () == await pager.on_call()
    assert ([ALARM.alert], {}) == (server.calls, server.windows)


async def test_change_events_go_to_the_affected_service(server: FakePagerDuty) -> None:
    """They stand beside its incidents; the requests say nothing but what they must."""
    await pagerduty(config(server), keys=KEYS, policy=QUICK).changed(notice(CHANGE), CHANGE)
    (change,) = server.changes

    assert (CHANGE.summary, "migrate-bot") == (change["summary"], change["source"])
    assert notice(CHANGE).key == change["custom_details"]["notice"]


@pytest.mark.parametrize("wrong", ["PD_ROUTING", "PD_REST"])
async def test_a_refusal_says_what_to_do_and_no_secret(server: FakePagerDuty, wrong: str) -> None:
    """People are told which variable to mend; a key is in no message."""
    pager = pagerduty(config(server), keys={**KEYS, wrong: "wrong-key-0815"}, policy=QUICK)
    with pytest.raises(StepError) as error:
        if wrong == "PD_ROUTING":
            await pager.alarm(notice(ALARM), ALARM)
        else:
            await pager.quiet(notice(QUIET), QUIET)

    text = f"{error.value!r} {error.value} {error.value.advice}"
    assert error.value.advice
    assert not [secret for secret in (ROUTING, REST, CHANGES, "wrong-key-0815") if secret in text]
