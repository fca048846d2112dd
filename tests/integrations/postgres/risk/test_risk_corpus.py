"""The gate: every migration of the corpus is judged and run, and the two agree."""

from bot.demo.postgres import EmbeddedPostgres
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.facts import Facts
from tests.integrations.postgres.risk.score import corpus, figures, run_corpus, table


async def test_the_check_agrees_with_the_server(pg: EmbeddedPostgres) -> None:
    """No loss is missed, locks are right in 98 of 100, and at most 5 of 100 harmless ones are called high."""
    cases = await run_corpus(pg, corpus())

    found = figures(cases)
    said = table(cases)
    assert len(cases) >= 60
    assert [each.name for each in cases if each.did.failed] == [], said
    assert found["destructive"]["recall"] == 1.0, said  # type: ignore[index]
    assert found["destructive"]["precision"] >= 0.95, said  # type: ignore[index]
    assert found["lock"]["accuracy"] >= 0.98, said  # type: ignore[index]
    assert found["rewrite"]["accuracy"] >= 0.98, said  # type: ignore[index]
    assert found["scan"]["accuracy"] >= 0.98, said  # type: ignore[index]
    assert found["high"]["false_positive_rate"] <= 0.05, said  # type: ignore[index]


def test_every_statement_has_a_rule_even_without_a_database() -> None:
    """Whatever parses is judged without failing when nothing at all is known of the database."""
    for script in corpus():
        for each in assess([script], Facts()).statements:
            assert not any("the check failed" in why for why in each.unjudged), (script.name, each.unjudged)
            assert each.does


def test_losses_are_found_even_without_a_database() -> None:
    """Whatever destroys something is destructive or unjudged when nothing at all is known of the database."""
    missed = [
        script.name
        for script in corpus()
        if script.name.startswith(("destructive__", "hidden__"))
        and script.name != "hidden__rule_in_database.sql"  # a rule leaves no trace in the file
        and not assess([script], Facts()).destructive
    ]

    assert missed == []
