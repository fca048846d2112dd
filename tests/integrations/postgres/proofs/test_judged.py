"""The risk of the planned files, as a plan keeps it."""

from bot.runbook.run import Risk
from integrations.postgres.proofs.judged import judge
from tests.integrations.postgres.proofs.conftest import ADD, Looking


async def test_judged_on_the_database_as_it_is(looking: Looking) -> None:
    """Names, lock and what is destroyed."""
    looking.write("001.sql", ADD + "truncate case_notes;")

    found = await judge(looking.target, looking.draft.plan.migrations)

    assert found.level is Risk.HIGH
    assert any("case_notes" in each for each in found.destroys)
    assert ("ACCESS EXCLUSIVE", "public.cases") == (found.statements[0].lock, found.statements[0].relation)
    assert () == found.notes


async def test_judged_without_the_database(looking: Looking) -> None:
    """By the files alone, and said so."""
    looking.write("001.sql", "truncate case_notes;")
    looking.connect_as("postgresql://u:top-secret@127.0.0.1:1/casework")

    found = await judge(looking.target, looking.draft.plan.migrations)

    assert found.level is Risk.HIGH
    assert "Judged by the files alone" in found.notes[0]
    assert "top-secret" not in str(found)
