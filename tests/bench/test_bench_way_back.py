"""The bench of the way back still runs against the code as it is."""

import json

from tests.bench.way_back import bench, growth, summary, table


async def test_the_smallest_run_has_every_figure() -> None:
    """Every act can be done and proven equal, and the summary says what others read from it."""
    figures, client = await bench([0.001], None)

    found = json.loads(summary(figures, client))

    assert {"speedup", "size_ratio"} <= found["backup"].keys()
    assert "speedup" in found["restore"]
    assert "speedup" in found["standby"]
    assert found["switch"]["downtime_s"] > 0
    assert all(each > 0 for size in found["sizes"] for each in size.values())
    assert "igzip" in client
    assert "rung 2, the whole switch" in table(figures)
    assert "the bytes" in growth(figures)
