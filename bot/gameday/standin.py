"""A stand-in for a service, run as a script: ``python standin.py PORT MODE_FILE``.

It has no database and nothing of the real service but its two addresses.  What it answers is read from the file at
every request, so a fault is one word written there.
"""

import sys
from enum import StrEnum
from pathlib import Path

from aiohttp import web

_REQUESTS = 600  # in its window of a minute, as the metrics have it


class Mode(StrEnum):
    """How it behaves."""

    HEALTHY = "healthy"
    ERRORS = "errors"  # 500 to everybody, and counted as such
    NO_METRICS = "no metrics"  # healthy, but it measures nothing any more


def make_app(mode_file: Path) -> web.Application:
    """The two addresses that the bot looks at."""

    async def health(_: web.Request) -> web.Response:
        if _mode(mode_file) is Mode.ERRORS:
            return web.json_response({"status": "unhealthy"}, status=500)
        return web.json_response({"status": "healthy", "database": "connected", "latency": 1})

    async def metrics(_: web.Request) -> web.Response:
        mode = _mode(mode_file)
        if mode is Mode.NO_METRICS:
            return web.json_response({"error": "not measured"}, status=503)
        failed = _REQUESTS if mode is Mode.ERRORS else 0
        return web.json_response({"requests": _REQUESTS, "failed": failed, "p95_ms": 20.0, "window_s": 60})

    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/metrics.json", metrics)
    return app


def _mode(file: Path) -> Mode:
    return Mode(file.read_text("utf-8").strip())


if __name__ == "__main__":
    web.run_app(make_app(Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
