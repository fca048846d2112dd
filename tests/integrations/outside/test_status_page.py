"""One contract for every ``StatusPage``: each update is shown once, whatever happens to the answers."""

import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bot.demo.http_faults import Fault
from bot.demo.outside.statuspage import FakeStatuspage
from bot.outside import Condition, Phase, StatusPage
from bot.outside_settings import StatusPageConfig
from bot.ports import StepError, Unclear
from integrations.betterstack.build import betterstack
from integrations.console.outside import ConsoleStatusPage
from integrations.http.client import Policy
from integrations.statuspage.build import POLICY, statuspage
from tests.fakes_outside import FakeStatusPage
from tests.integrations.outside.betterstack_server import FakeBetterStack
from tests.integrations.outside.samples import T0, maintenance, notice

KEY = "key-of-the-page-4711"
COMPONENTS = {"web": "cmp1", "gateway": "cmp2"}
QUICK = Policy(answer=0.5, attempts=2, patience=2.0, pause=0.01)
CONFIG = StatusPageConfig(page="page1", key_env="PAGE_KEY", components=COMPONENTS)
STARTED = maintenance(Phase.IN_PROGRESS, "Maintenance in Progress")
BACK = maintenance(Phase.VERIFYING, "The services are back", Condition.OPERATIONAL, at=T0 + 60)
DONE = maintenance(Phase.COMPLETED, "Database migration completed successfully", Condition.OPERATIONAL, at=T0 + 120)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A page, the faults it can be given for writes, and the words that are to be read on it, oldest first."""

    page: StatusPage
    read: Callable[[], Sequence[str]]
    fail: Callable[[str], None] = lambda fault: None
    faults: Sequence[str] = field(default=())


@pytest.fixture
async def atlassian() -> AsyncIterator[FakeStatuspage]:
    """A page of Statuspage."""
    server = FakeStatuspage(key=KEY, page="page1", components={"cmp1": "Web", "cmp2": "Gateway"})
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def better() -> AsyncIterator[FakeBetterStack]:
    """A page of Better Stack."""
    server = FakeBetterStack(key=KEY, page="page1", resources=COMPONENTS.values())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(params=["console", "fake", "statuspage", "betterstack"])
def stage(request: pytest.FixtureRequest, atlassian: FakeStatuspage, better: FakeBetterStack) -> Stage:
    """Each status page in turn; the last two are real clients over HTTP."""
    if request.param == "console":
        printed = io.StringIO()
        lines = lambda: [line[14:] for line in printed.getvalue().splitlines() if "Database migration (" not in line]  # noqa: E731
        return Stage(page=ConsoleStatusPage(printed), read=lines)
    if request.param == "fake":
        fake = FakeStatusPage()
        shown = lambda: [each.words for run in fake.shown.values() for each in run.values()]  # noqa: E731
        return Stage(page=fake, read=shown, fail=fake.faults.append, faults=("drop_after", "drop_before"))
    if request.param == "statuspage":
        words = lambda: [  # noqa: E731
            each["body"] for incident in atlassian.incidents for each in reversed(incident["incident_updates"])
        ]
        return _http(statuspage(_at(atlassian.url), key=KEY, policy=QUICK), words, atlassian)
    told = lambda: [each["message"] for report in better.updates.values() for each in report]  # noqa: E731
    return _http(betterstack(_at(better.url), key=KEY, policy=QUICK), told, better)


def _at(url: str) -> StatusPageConfig:
    return CONFIG.model_copy(update={"url": url})


def _http(page: StatusPage, read: Callable[[], Sequence[str]], server: FakeStatuspage | FakeBetterStack) -> Stage:
    def fail(fault: str) -> None:
        for method in ("POST", "PATCH"):
            server.faults.next(Fault(fault), method=method)

    return Stage(page=page, read=read, fail=fail, faults=tuple(Fault))


async def test_a_maintenance_is_shown_from_its_start_to_its_end(stage: Stage) -> None:
    """Every update once and in order, also when each is repeated."""
    updates = (STARTED, BACK, DONE)
    for number, update in enumerate(updates):
        for _ in range(2):
            await stage.page.show(notice(update, number), update)

    assert [each.words for each in updates] == list(stage.read())


async def test_an_end_without_a_start_opens_nothing(stage: Stage) -> None:
    """What was never announced needs no end."""
    await stage.page.show(notice(DONE), DONE)

    assert [] == list(stage.read())


async def test_another_run_is_another_maintenance(stage: Stage) -> None:
    """What one run said is not the other's."""
    other = maintenance(Phase.IN_PROGRESS, "Maintenance in Progress", run="m-9zzzzz")
    await stage.page.show(notice(STARTED), STARTED)
    await stage.page.show(notice(other, run="m-9zzzzz"), other)

    assert [STARTED.words, other.words] == sorted(stage.read())


async def test_whatever_happens_to_an_answer_it_is_shown_once(stage: Stage) -> None:
    """Every fault at the opening and at an update: the call that follows looks first."""
    for fault in stage.faults:
        run = f"m-{fault}"
        for number, update in enumerate((STARTED, BACK)):
            mine = maintenance(update.phase, f"{update.words} {fault}", update.condition, at=update.at, run=run)
            stage.fail(fault)
            for _ in range(4):
                try:
                    await stage.page.show(notice(mine, number, run), mine)
                except (StepError, Unclear):
                    continue

    expected = [f"{each.words} {fault}" for fault in stage.faults for each in (STARTED, BACK)]
    assert sorted(expected) == sorted(stage.read())


async def test_statuspage_shows_window_components_and_phases(atlassian: FakeStatuspage) -> None:
    """The impact window and ETA come from the plan, component states follow the run."""
    page = statuspage(_at(atlassian.url), key=KEY, policy=QUICK)
    seen = []
    for number, update in enumerate((STARTED, BACK, DONE)):
        await page.show(notice(update, number), update)
        (incident,) = atlassian.incidents
        seen.append((incident["status"], {each["status"] for each in atlassian.components.values()}))

    assert [
        ("in_progress", {"under_maintenance"}),
        ("verifying", {"operational"}),
        ("completed", {"operational"}),
    ] == seen
    assert ("2026-11-18T11:06:40.000Z", "2026-11-18T12:06:40.000Z") == (
        incident["scheduled_for"], incident["scheduled_until"],
    )  # fmt: skip
    assert "maintenance" == incident["impact_override"]
    assert [True, False, False] == [each["deliver_notifications"] for each in incident["incident_updates"]]


async def test_components_that_nobody_knows_the_state_of_are_left_as_they_are(atlassian: FakeStatuspage) -> None:
    """A run that was closed by hand with its services down."""
    page = statuspage(_at(atlassian.url), key=KEY, policy=QUICK)
    await page.show(notice(STARTED), STARTED)
    closed = maintenance(Phase.COMPLETED, "The maintenance is over", None, at=T0 + 9)
    await page.show(notice(closed, 2), closed)

    assert "completed" == atlassian.incidents[0]["status"]
    assert {"under_maintenance"} == {each["status"] for each in atlassian.components.values()}


async def test_a_report_of_better_stack_ends_when_the_run_does(better: FakeBetterStack) -> None:
    """Its end is what brings the resources back there; a crash before that is mended by the repetition."""
    page = betterstack(_at(better.url), key=KEY, policy=QUICK)
    await page.show(notice(STARTED), STARTED)
    done = replace(DONE, ends=T0 + 120)
    better.faults.next(Fault.ERROR, Fault.ERROR, method="PATCH")
    with pytest.raises(StepError):
        await page.show(notice(done, 2), done)
    await page.show(notice(done, 2), done)
    (report,) = better.reports.values()

    assert "2026-11-18T11:08:40Z" == report["ends_at"]
    assert 1 == sum(each["message"] == DONE.words for each in next(iter(better.updates.values())))


@pytest.mark.parametrize("wrong", ["key", "component"])
async def test_a_refusal_says_what_to_do_and_no_secret(atlassian: FakeStatuspage, wrong: str) -> None:
    """People are told which setting to mend."""
    config = CONFIG.model_copy(update={"url": atlassian.url, "components": {"web": "cmp9"}})
    page = statuspage(config, key="not-the-key" if wrong == "key" else KEY, policy=QUICK)
    with pytest.raises(StepError) as error:
        await page.show(notice(STARTED), STARTED)

    assert ("PAGE_KEY" if wrong == "key" else "cmp9") in f"{error.value} {error.value.advice}"
    assert error.value.advice
    assert not {KEY, "not-the-key"} & set(f"{error.value!r} {error.value.advice}".split())


def test_statuspage_is_asked_once_a_second() -> None:
    """developer.statuspage.io, "Rate Limiting"."""
    assert 1.0 == POLICY.pace
