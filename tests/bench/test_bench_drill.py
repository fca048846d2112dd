"""The bench of rehearsals still runs against the code as it is."""

import json

from tests.bench.drill import MIGRATIONS, bench, readable, summary


async def test_the_smallest_run_has_every_figure() -> None:
    """Apply, backup and way back are each predicted and then done."""
    name = next(iter(MIGRATIONS))

    found = await bench(0.002, [name])

    figures = json.loads(summary(found))[name]
    assert ["Apply", "Backup", "Way back (Restore the backup beside, then switch)"] == list(figures)
    assert all(each["predicted"] > 0 and each["actual"] > 0 for each in figures.values())
    assert "ACCESS EXCLUSIVE on public.documents" in readable(found)
