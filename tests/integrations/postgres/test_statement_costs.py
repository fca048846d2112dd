"""What statements cost, of a real server: with the extension, without it, and without an answer."""

from dataclasses import replace

import psycopg

from bot.demo.casework import OWNER, Casework
from bot.runbook.follow_up.queries import between
from integrations.postgres.statement_costs import StatementCosts
from tests.integrations.postgres.conftest import Stage

_ASKED = "select count(*) from cases where title = 'who knows' and id > 7"


async def _superuser(casework: Casework, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(casework.superuser_dsn, autocommit=True) as db:
        for each in statements:
            await db.execute(each)  # type: ignore[call-overload]


async def test_what_was_run_between_two_counts_is_known_without_its_values(stage: Stage, casework: Casework) -> None:
    """Calls and times of the statements of this database; what people typed into them is not kept."""
    await _superuser(
        casework, "create extension if not exists pg_stat_statements", f"grant pg_read_all_stats to {OWNER}"
    )
    try:
        before = await StatementCosts().count(stage.target)
        for _ in range(3):
            await stage.ask(_ASKED)
        after = await StatementCosts().count(stage.target)
    finally:
        await _superuser(casework, f"revoke pg_read_all_stats from {OWNER}")
    assert before.known and before.since == after.since
    (found,) = [each for each in between(before, after) if "from cases where title" in each.text]
    assert 3 == found.calls and found.total_ms > 0
    assert "who knows" not in found.text


async def test_without_the_extension_it_says_how_to_have_it(stage: Stage, casework: Casework) -> None:
    """No error: there is nothing to compare, and that is said."""
    await _superuser(casework, "drop extension if exists pg_stat_statements")
    counts = await StatementCosts().count(stage.target)
    assert (False, ()) == (counts.known, counts.statements)
    assert "CREATE EXTENSION pg_stat_statements" in counts.why


async def test_a_database_that_does_not_answer_is_said_without_its_password(stage: Stage) -> None:
    """Likewise."""
    dsn = "postgresql://nobody:hush@127.0.0.1:1/nowhere"
    counts = await StatementCosts().count(replace(stage.target, dsn=dsn))
    assert not counts.known and counts.why and "hush" not in counts.why
