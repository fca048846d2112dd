"""``/migrate doctor``: only for those with a role, only of their own targets, and after Slack's answer."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo import cast
from bot.doctor.findings import Report, Section, fail, ok, warn
from bot.runbook.people import Policy
from bot.runbook.refusals import NotAMember, NotAnOwner, NotNow
from bot.views.ids import Verb
from commands import VERBS
from commands.desk import Desk
from commands.parse import Request
from tests.commands.office import STRANGER, Office, opened

REPORT = Report(
    sections=(
        Section(system="store", target="", findings=(ok("connection", "PostgreSQL answers"),)),
        Section(system="Slack", target="", findings=(warn("scopes", "More <!channel> than needed.", "Reinstall."),)),
        Section(system="PostgreSQL", target="casework", findings=(fail("version", "Too old.", "Update `it`."),)),
        Section(system="PostgreSQL", target="billing", findings=(fail("connection", "Away.", "Start it."),)),
    )
)


async def examined() -> Report:
    return REPORT


def own(desk: Desk) -> Desk:
    """Billing is other people's."""
    others = replace(desk.targets["billing"], policy=Policy(approvers=frozenset({"U0OTHER01"})))
    return replace(desk, doctor=examined, targets={**desk.targets, "billing": others})


def asked(user: str) -> Request:
    return Request(verb=Verb.DOCTOR, user=user, channel=cast.ENGINEERING)


@pytest.mark.parametrize("user", [cast.STARTER, cast.FIRST_APPROVER, cast.ON_CALL])
async def test_owners_approvers_and_on_call_see_their_own_targets(office: Office, user: str) -> None:
    """First that it is being looked at; then what is wrong, with its fix, and nobody is called by it."""
    reply = await VERBS[Verb.DOCTOR](own(office.desk), asked(user))
    assert "follows here" in reply.text and reply.later is not None

    text = str((await reply.later()).payload["text"])
    assert "❌ 3 checks: 1 failure and 1 warning." in text
    assert "*casework: PostgreSQL*: Too old. Update ˋitˋ." in text
    assert "Away" not in text and "billing" not in text
    assert "<!channel>" not in text


@pytest.mark.parametrize(
    ("user", "refusal"), [(cast.OUTSIDER, NotAnOwner), (cast.GUEST, NotAMember), (STRANGER, NotAMember)]
)
async def test_nobody_else_sees_anything(office: Office, user: str, refusal: type[Exception]) -> None:
    """The names of systems are not for everybody; who may ask is said."""
    with pytest.raises(refusal) as refused:
        await VERBS[Verb.DOCTOR](own(office.desk), asked(user))
    assert "casework" not in str(refused.value)


async def test_where_there_is_no_doctor_the_console_is_named(office: Office) -> None:
    with pytest.raises(NotNow, match="python -m bot doctor"):
        await VERBS[Verb.DOCTOR](office.desk, asked(cast.STARTER))


async def test_the_report_follows_in_slack_for_the_person_alone(store_dsn: str, tmp_path: Path) -> None:
    """Slack's own answer comes at once; the report as a message that only they can see."""
    async with opened(store_dsn, tmp_path, only=(cast.STARTER,), doctor=examined) as office:
        done = await office.dana.command("/migrate doctor")
        assert done.ok
        async with asyncio.timeout(60):
            while not [each for each in office.dana.ephemerals if "2 failures and 1 warning" in str(each["text"])]:
                await asyncio.sleep(0.005)
        assert [] == office.workspace.messages(cast.ENGINEERING)
