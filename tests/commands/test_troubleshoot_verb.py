"""``/migrate troubleshoot``: advice about an error that is typed, or about the one that the run has stopped at."""

import pytest

from bot.demo import cast
from bot.runbook import intents as i
from bot.runbook.refusals import Invalid
from bot.views.ids import Verb
from commands import VERBS
from commands.parse import Request
from commands.troubleshoot import UnknownError, by
from tests.commands.office import Office, office_plan


def asked(words: str = "") -> Request:
    return Request(verb=Verb.TROUBLESHOOT, user=cast.STARTER, channel=cast.ENGINEERING, words=words)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("42703", "New columns or tables not visible"),
        ('ERROR 23503: insert or update on table "cases" violates foreign key constraint', "Foreign key constraint"),
        ("deadlock", "Deadlock"),
        ("pg_dump: error: aborting because of server version mismatch", "Client tools too old"),
    ],
)
async def test_an_error_that_is_typed(office: Office, words: str, name: str) -> None:
    """By its SQLSTATE, its words, or its name in the table."""
    text = str((await VERBS[Verb.TROUBLESHOOT](office.desk, asked(words))).payload["text"])
    assert text.startswith(f"*{name}")
    assert "*What happened:*" in text and "*Changed:*" in text and "*What to do:*" in text


async def test_what_nobody_knows_names_what_there_is(office: Office) -> None:
    with pytest.raises(UnknownError, match="There is advice about: Foreign key constraint violation, "):
        await VERBS[Verb.TROUBLESHOOT](office.desk, asked("the moon is full"))


async def test_the_error_that_a_run_has_stopped_at(office: Office) -> None:
    """With what the run itself knows of the database, which is more than the error can tell."""
    run = await office.engine.start(office_plan())
    run = await office.engine.handle(run.id, i.Begin(attempt=1))
    problem = 'ERROR 42703: column "nick" does not exist <!channel>'
    await office.engine.handle(run.id, i.Fail(claim=run.claim or 0, problem=problem, advice=""))
    text = str((await VERBS[Verb.TROUBLESHOOT](office.desk, asked())).payload["text"])
    assert text.startswith("*New columns or tables not visible*")
    assert "The database: as it was before the run." in text
    assert "<!channel>" not in text


async def test_a_run_that_goes_well_has_nothing_to_shoot(office: Office) -> None:
    await office.engine.start(office_plan())
    with pytest.raises(Invalid, match="has not stopped at an error"):
        await VERBS[Verb.TROUBLESHOOT](office.desk, asked())


def test_hostile_words_are_only_words() -> None:
    """They find nothing, and run nothing."""
    assert by("`rm -rf` <!channel> '; drop table") is None
