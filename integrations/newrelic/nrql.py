"""The two questions we ask New Relic, in NRQL, and what their rows mean.

Every column is named by us.  ``duration`` and ``databaseDuration`` are seconds (New Relic "Transaction" event); a
percentile comes as an object with one value, whose key is written in more than one way.
"""

from collections.abc import Mapping
from math import isfinite

from integrations.newrelic.site import NewRelicSite

GRAPHQL = (
    "query($id: Int!, $requests: Nrql!, $database: Nrql!) { actor { account(id: $id) {"
    " requests: nrql(query: $requests, timeout: 7) { results }"
    " database: nrql(query: $database, timeout: 7) { results } } } }"
)
_REQUESTS = (
    "SELECT count(*) AS 'n', percentage(count(*), WHERE error IS true) AS 'error_percent',"
    " filter(count(*), WHERE `http.statusCode` >= 500) AS 'failed', count(`http.statusCode`) AS 'coded',"
    " percentile(duration, 95) AS 'p95', latest(timestamp) AS 'last'"
)
_DATABASE = "SELECT percentile(databaseDuration, 95) AS 'p95', latest(timestamp) AS 'last'"


def questions(site: NewRelicSite) -> dict[str, str]:
    """The variables of ``GRAPHQL`` that hold NRQL."""
    tail = f" FROM Transaction WHERE {_whose(site)} SINCE {site.window:.0f} seconds ago"
    return {"requests": _REQUESTS + tail, "database": _DATABASE + tail}


def _whose(site: NewRelicSite) -> str:
    named = [("appName", site.apps), ("entityGuid", site.entities)]
    parts = [f"{name} IN ({', '.join(_quoted(each) for each in values)})" for name, values in named if values]
    either = f"({' OR '.join(parts)})"
    return f"{either} AND ({site.where})" if site.where else either


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def number(row: Mapping[str, object], name: str) -> float | None:
    """The number in a column, or the only value of its object; ``None`` for anything else."""
    value = row.get(name)
    if isinstance(value, Mapping):
        value = next(iter(value.values())) if len(value) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)
