"""What an application keeps in the settings of its database may be a key: nobody is shown it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.rungs import Rung
from bot.runbook.steps import Standby, StepName
from integrations.postgres.go_back import GoBack
from integrations.postgres.note import file_of
from integrations.postgres.ways import ladder
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage

SECRET = "hunter2-and-more"


@pytest_asyncio.fixture
async def back(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> AsyncIterator[Backstage]:
    """A database with a key in its settings, which only a superuser may set."""
    made = Backstage(stage=stage, pg=casework_template, casework=casework)
    await made.as_superuser(f"alter database \"{casework.name}\" set app.jwt_secret to '{SECRET}'")
    yield made
    await made.remove()


def shown(back: Backstage, name: str) -> str:
    """The statement as people see it, with its reason."""
    statement = f'ALTER DATABASE "{name}" SET "app"."jwt_secret" TO \'…\''
    why = 'permission denied to set parameter "app.jwt_secret"'
    return f"{statement}; ({why}) ('…' stands in setconfig of pg_db_role_setting for {back.names.live})"


async def test_a_standby_copy_s_words_do_not_show_it(back: Backstage) -> None:
    """Neither evidence nor question has it, both say where it is; the private note, which is needed, holds it."""
    await back.stage.backed_up()

    outcome = await back.stand_by(Standby.TEMPLATE)
    await back.apply()
    asked = await ladder(back.at(StepName.ANNOUNCE_ROLLBACK), QUICK)

    evidence, question = "\n".join(outcome.evidence), "\n".join(asked.lines)
    assert shown(back, outcome.facts["standby_database"]) in evidence
    switch = next(each for each in asked.options if each.rung is Rung.SWITCH)
    assert shown(back, outcome.facts["standby_database"]) in switch.why
    said = [
        evidence,
        question,
        *(str(each) for each in asked.options),
        *outcome.facts.values(),
        *asked.inputs.values(),
        *back.stage.said,
    ]
    assert not any(SECRET in each for each in said)
    note = file_of(back.forward(StepName.STANDBY))
    assert SECRET in note.read_text()
    assert 0o600 == note.stat().st_mode & 0o777


async def test_a_refusal_does_not_show_it(back: Backstage) -> None:
    """The way back stops at what a superuser has to do, without the value."""
    await back.backup_and_break()

    with pytest.raises(StepError, match="may not give it everything") as caught:
        await GoBack(QUICK).run(await back.approved())

    assert shown(back, back.names.side) in caught.value.advice
    assert not any(SECRET in each for each in (caught.value.problem, caught.value.advice, *back.stage.said))
