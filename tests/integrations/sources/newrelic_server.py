"""A stand-in for NerdGraph: it keeps transactions and answers the NRQL that it understands about them.

As the real one it answers 200 also where it refuses; the reasons are in ``errors``.
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.demo.http_faults import Faults
from tests.integrations.services.making import free_port

KEY = "NRAK-hunter22"  # the key of these tests
NRQL = re.compile(r"SELECT (.+) FROM Transaction WHERE \((appName|entityGuid) IN \((.+?)\)\) SINCE (\d+) seconds ago")
COLUMN = re.compile(r"(.+?) AS '(\w+)'(?:, )?")


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One answer of an application; durations are seconds, as in New Relic."""

    app: str = "casework-web"
    error: bool = False
    duration: float = 0.1
    database: float | None = 0.02
    status: int | None = 200
    at: float = field(default_factory=time.time)


class NerdGraph:
    """One account.  ``refuse`` names questions (aliases) and why they are not answered; ``answer`` replaces it all."""

    def __init__(self) -> None:
        self.transactions: list[Transaction] = []
        self.refuse: dict[str, str] = {}
        self.answer: Any = None
        self.asked: list[str] = []
        self.faults = Faults()
        self.url = f"http://127.0.0.1:{free_port()}"

    async def start(self) -> web.AppRunner:
        app = web.Application(middlewares=[self.faults.middleware])
        app.add_routes([web.post("/graphql", self._graphql)])
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(self.url.rpartition(":")[2])).start()
        return runner

    async def _graphql(self, request: web.Request) -> web.Response:
        if request.headers.get("API-Key") != KEY:
            return web.json_response({"errors": [{"message": "Invalid API key"}]}, status=401)
        body = await request.json()
        if self.answer is not None:
            return web.json_response(self.answer)
        variables, errors, found = body["variables"], [], {}
        for alias, name in re.findall(r"(\w+): nrql\(query: \$(\w+)", body["query"]):
            self.asked.append(variables[name])
            found[alias], why = self._run(variables[name]) if alias not in self.refuse else (None, self.refuse[alias])
            if why:
                errors.append({"message": why, "path": ["actor", "account", alias]})
        return web.json_response({"data": {"actor": {"account": found}}, **({"errors": errors} if errors else {})})

    def _run(self, nrql: str) -> tuple[Any, str]:
        match = NRQL.fullmatch(nrql)
        if match is None:
            return None, f"NRQL Syntax Error: {nrql}"
        names = re.findall(r"'((?:[^'\\]|\\.)*)'", match[3])
        since = time.time() - int(match[4])
        rows = [each for each in self.transactions if each.app in names and each.at >= since]
        return {"results": [{alias: _column(what, rows) for what, alias in COLUMN.findall(match[1])}]}, ""


def _column(what: str, rows: list[Transaction]) -> Any:
    """What NRQL gives for one column; no rows are nulls, but for counts."""
    match what:
        case "count(*)":
            return len(rows)
        case "count(`http.statusCode`)":
            return len([each for each in rows if each.status is not None])
        case "filter(count(*), WHERE `http.statusCode` >= 500)":
            return len([each for each in rows if (each.status or 0) >= 500])
        case "percentage(count(*), WHERE error IS true)":
            return 100 * len([each for each in rows if each.error]) / len(rows) if rows else None
        case "percentile(duration, 95)":
            return {"95": _percentile([each.duration for each in rows])}
        case "percentile(databaseDuration, 95)":
            return {"95.0": _percentile([each.database for each in rows if each.database is not None])}
        case "latest(timestamp)":
            return int(max(each.at for each in rows) * 1000) if rows else None
        case _:
            raise ValueError(what)


def _percentile(values: list[float]) -> float | None:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)] if values else None
