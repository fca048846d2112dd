"""What may help a failed step, checks by hand and statistics: by button, by modal and by command."""

from functools import partial

from bot import ledger
from bot.demo import cast
from bot.runbook.fixes import Fix
from bot.runbook.manual import ManualCheck, Moment
from bot.runbook.people import Policy
from bot.runbook.run import Run, State
from bot.runbook.tried import said_of
from bot.views.ids import Field, Verb
from tests.commands.office import ALEX, DANA, Office, office_plan, told
from tests.commands.situations import SITUATIONS, asking

LEE = "U0LEE0001"


async def _situation(office: Office, verb: Verb) -> Run:
    run = await SITUATIONS[verb](office.engine, office.driver, office_plan())
    await office.publisher.publish(run.id)
    return run


async def test_a_fix_by_its_button(office: Office) -> None:
    """What was offered is chosen once; the record says by whom, and the channel what it means."""
    run = await _situation(office, Verb.FIX)
    button = await office.dana.wait_button(f"{Verb.FIX.id}.{Fix.LONGER}")
    answer = await told(office.dana, partial(office.dana.click, button))
    assert "Retry with 4x the statement_timeout: it is described and asked for." in answer
    now = await office.engine.load(run.id)
    assert ((Fix.LONGER,), State.WORKING) == (now.fixes, now.state)
    await office.publisher.publish(run.id)
    assert "chose “Retry with 4x the statement_timeout”" in str(office.workspace.messages("#engineering"))


async def test_a_fix_by_command_and_what_is_not_offered(office: Office) -> None:
    """The names stand in the message; another one is refused with those there are."""
    run = await _situation(office, Verb.FIX)
    answer = await told(office.dana, partial(office.dana.command, "/migrate fix everything"))
    assert "Type /migrate fix and one of: longer." in answer
    assert "not on offer" in await told(office.dana, partial(office.dana.command, "/migrate fix restart"))
    await told(office.dana, partial(office.dana.command, f"/migrate fix {run.id} longer"))
    assert (Fix.LONGER,) == (await office.engine.load(run.id)).fixes


async def test_a_check_is_answered_by_its_buttons(office: Office) -> None:
    """Works at once; broken asks what was seen, and the words are kept as they were written."""
    run = await _situation(office, Verb.WORKS)
    answer = await told(office.dana, partial(office.dana.click, await office.button(office.dana, Verb.WORKS)))
    assert "“log in” works" in answer
    assert (await office.dana.click(await office.button(office.dana, Verb.BROKEN))).ok
    view = await office.dana.wait_view(pred=lambda found: found["callback_id"] == Verb.BROKEN.id)
    await told(office.dana, partial(office.dana.submit, view, {Field.REASON.value: "a *blank* page <!here>"}))
    said = said_of(await office.engine.load(run.id), "log in", Moment.BEFORE)
    assert said is not None and not said.works and said.note == "a *blank* page <!here>"
    await office.publisher.publish(run.id)
    text = str(office.workspace.messages("#engineering"))
    assert "<!here>" not in text and "does not work before the migration, says Dana" in text
    assert "is whole" in await ledger.verify(office.engine, run.id)


async def test_a_check_is_answered_by_command(office: Office) -> None:
    """Its name in any case, and behind it what was seen; a name that is none is refused with those there are."""
    run = await _situation(office, Verb.WORKS)
    assert "Name one of: log in." in await told(office.dana, partial(office.dana.command, "/migrate works logging"))
    await told(office.dana, partial(office.dana.command, "/migrate broken Log in: a blank page"))
    said = said_of(await office.engine.load(run.id), "log in", Moment.BEFORE)
    assert said is not None and said.note == "a blank page"


async def test_whoever_was_not_asked_is_told_who_was(office: Office) -> None:
    """Nothing is recorded."""
    run = await _situation(office, Verb.WORKS)
    lee = office.people[LEE]
    answer = await told(lee, partial(lee.click, await office.button(lee, Verb.WORKS)))
    assert "You were not asked for this" in answer
    assert () == (await office.engine.load(run.id)).answers


async def test_somebody_of_a_group_that_was_asked_may_answer(office: Office) -> None:
    """Groups of a check are looked up, though the policy does not name them."""
    check = ManualCheck(name="log in", ask="Log in.", people=frozenset({cast.APPROVERS_GROUP}))
    policy = Policy(approvers=frozenset({ALEX.id}), owners=frozenset({DANA.id}))
    run = await asking(office.engine, office.driver, office_plan(manual=(check,), policy=policy))
    await office.publisher.publish(run.id)
    priya = office.people[cast.SECOND_APPROVER]
    await told(priya, partial(priya.click, await office.button(priya, Verb.WORKS)))
    assert [cast.SECOND_APPROVER] == [each.person for each in (await office.engine.load(run.id)).answers]


async def test_statistics_by_button(office: Office) -> None:
    """Asked once: the button goes, and the second press is told that somebody was first."""
    run = await _situation(office, Verb.ANALYZE)
    button = await office.button(office.dana, Verb.ANALYZE)
    assert "being gathered" in await told(office.dana, partial(office.dana.click, button))
    assert ("public.cases",) == (await office.engine.load(run.id)).analyzing
    assert "Somebody was first" in await told(office.dana, partial(office.dana.command, "/migrate analyze"))
