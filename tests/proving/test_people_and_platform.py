"""ON_CALL and PLATFORM: who is named, and what must be there to be operated."""

from dataclasses import replace

import pytest

from bot.ports import StepError
from bot.proving.on_call import OnCallProof
from bot.proving.platform import PlatformProof
from bot.proving.subject import Looked, fine, wrong
from bot.runbook.preparation.checklist import Item
from bot.target import Target
from tests.fakes import FakePlatform
from tests.proving.looks import SmallDirectory, SmallPager, SmallProbe, said, subject
from tests.runbook.preparation.people import ALEX

AWAY = StepError("It does not answer.", "Mend it.")


async def on_call(proof: OnCallProof, **changes: object) -> Looked:
    return (await proof.look(subject(**changes)))[Item.ON_CALL]


async def test_an_active_member_on_the_list() -> None:
    """Directly, or through a group."""
    grouped = SmallDirectory({ALEX.id: replace(ALEX, groups=frozenset({"S0ONCALL"}))})

    assert (await on_call(OnCallProof(SmallDirectory().person))).ok
    assert (await _with_policy(OnCallProof(grouped.person), on_call=frozenset({"S0ONCALL"}))).ok


async def _with_policy(proof: OnCallProof, **changes: object) -> Looked:
    about = subject()
    policy = replace(about.target.policy, **changes)  # type: ignore[arg-type]
    return (await proof.look(replace(about, target=replace(about.target, policy=policy))))[Item.ON_CALL]


@pytest.mark.parametrize(
    ("flaw", "words"),
    [("guest", "is a guest"), ("stranger", "is not a member"), ("inactive", "has no active account")],
)
async def test_somebody_who_cannot_act(flaw: str, words: str) -> None:
    """Named, though they could not even press a button."""
    known = SmallDirectory({ALEX.id: replace(ALEX, **{flaw: True})})  # type: ignore[arg-type]

    found = await on_call(OnCallProof(known.person))

    assert found.ok is False
    assert words in said(found)


async def test_somebody_who_is_not_on_the_list() -> None:
    """The target's own list counts, as it is now."""
    found = await _with_policy(OnCallProof(SmallDirectory().person), on_call=frozenset({"S0OTHERS"}))

    assert found.ok is False
    assert "is not on the on-call list of casework" in said(found)


async def test_a_target_without_a_list() -> None:
    """Then people say so."""
    found = await _with_policy(OnCallProof(SmallDirectory().person), on_call=frozenset())

    assert found.ok is None


async def test_somebody_whom_nobody_knows() -> None:
    """The directory's refusal is told."""
    found = await on_call(OnCallProof(SmallDirectory({}).person))

    assert found.ok is False
    assert "could not be looked up: U0ALEX is nobody." in said(found)


async def test_the_pager_has_the_last_word() -> None:
    """On call then, somebody else, not to be told, not to be asked."""
    answers = [
        SmallPager(),
        SmallPager((False, "Priya Shah is on call")),
        SmallPager((None, "Alex has no account there")),
        SmallPager(failure=AWAY),
    ]

    found = [await on_call(OnCallProof(SmallDirectory().person, each)) for each in answers]

    assert [True, False, None, False] == [each.ok for each in found]
    assert "is not the one who is paged then: Priya Shah is on call" in said(found[1])


async def platform(proof: PlatformProof, **changes: object) -> Looked:
    return (await proof.look(subject(**changes)))[Item.PLATFORM]


def running(*names: str) -> FakePlatform:
    made = FakePlatform()
    made.running = set(names)
    return made


class Unknowing(FakePlatform):
    """Knows no service."""

    async def status(self, target: Target) -> dict[str, bool]:
        return {}


class Refusing(FakePlatform):
    """Does not take our credentials."""

    async def status(self, target: Target) -> dict[str, bool]:
        raise StepError("Render does not accept RENDER_API_KEY.", "Make a new one.")


async def test_all_services_run_and_are_well() -> None:
    """Each named."""
    found = await platform(PlatformProof(running("web"), SmallProbe()))

    assert found.ok
    assert "The platform knows 1 service, all running: web" in said(found)
    assert "Healthy: web" in said(found)


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        (PlatformProof(Refusing(), SmallProbe()), "does not accept RENDER_API_KEY. Make a new one."),
        (PlatformProof(Unknowing(), SmallProbe()), "The platform does not know web"),
        (PlatformProof(running(), SmallProbe()), "Not running: web"),
        (PlatformProof(running("web"), SmallProbe(healthy=(), unhealthy=("web",))), "Not healthy: web"),
        (PlatformProof(running("web"), SmallProbe(broken=("search",))), "without success: search"),
    ],
)
async def test_whatever_is_amiss_is_said_first(proof: PlatformProof, words: str) -> None:
    """One is enough."""
    found = await platform(proof)

    assert found.ok is False
    assert words in found.findings[0]


async def test_credentials_of_the_pager_count_too() -> None:
    """Whatever else is configured is asked."""

    async def valid(_target: Target) -> Looked:
        return fine("PagerDuty takes its key")

    async def refused(_target: Target) -> Looked:
        return wrong("PagerDuty does not take its key. Make a new one.")

    good = await platform(PlatformProof(running("web"), SmallProbe(), (valid,)))
    bad = await platform(PlatformProof(running("web"), SmallProbe(), (valid, refused)))

    assert [True, False] == [good.ok, bad.ok]
    assert "PagerDuty does not take its key" in bad.findings[0]


async def test_a_target_without_services() -> None:
    """Nothing has to be stopped."""
    found = await platform(PlatformProof(running(), SmallProbe(healthy=())), services=())

    assert found.ok
