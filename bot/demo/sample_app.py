"""One of the sample's services as a real process: ``python -m bot.demo.sample_app --name casework-web --port N``.

The connection string comes from the environment variable DATABASE_URL; the log is JSON lines on stdout.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import web
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bot.demo.sample_work import FIRST_RELEASE, Connection, Refused, Workflow, background, workflows

WINDOW_SECONDS = 60
BACKGROUND_SECONDS = 2.0
HEALTH_SECONDS = 2.0
REQUEST_SECONDS = 3.0  # to get a connection
logger = logging.getLogger("sample_app")
Pool = AsyncConnectionPool[Connection]


@dataclass(kw_only=True)
class Requests:
    """The last minute's requests: when, how long in ms, and whether they failed."""

    seen: deque[tuple[float, float, bool]] = field(default_factory=deque)

    def add(self, milliseconds: float, *, failed: bool) -> None:
        """Count one request that ended now."""
        self.seen.append((time.monotonic(), milliseconds, failed))

    def summary(self) -> dict[str, float]:
        """``p95_ms`` is by nearest rank; 0 without requests."""
        while self.seen and self.seen[0][0] < time.monotonic() - WINDOW_SECONDS:
            self.seen.popleft()
        times = sorted(ms for _, ms, _ in self.seen)
        return {
            "requests": len(times),
            "failed": sum(failed for _, _, failed in self.seen),
            "p95_ms": round(times[-(-len(times) * 95 // 100) - 1], 1) if times else 0.0,
            "window_s": WINDOW_SECONDS,
        }


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, service, release, event and what was passed as ``extra={"facts": …}``."""

    def __init__(self, *, service: str, release: str) -> None:
        super().__init__()
        self._bound = {"service": service, "release": release}

    def format(self, record: logging.LogRecord) -> str:
        """Errors carry their type and text."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), **self._bound, "event": record.getMessage()}
        if record.exc_info and record.exc_info[1]:
            line["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}".strip()
        return json.dumps(line | getattr(record, "facts", {}))


def make_app(*, name: str, release: str, dsn: str) -> web.Application:
    """The service; its pool opens with the app and is closed, sessions and all, at its end."""
    pool: Pool = AsyncConnectionPool(
        dsn, connection_class=psycopg.AsyncConnection[DictRow], min_size=1, max_size=5, open=False, name=name,
        kwargs={"application_name": name, "row_factory": dict_row},
        timeout=REQUEST_SECONDS, reconnect_timeout=30, check=AsyncConnectionPool.check_connection,
    )  # fmt: skip
    requests = Requests()
    app = web.Application(middlewares=[_release_header(release)])
    app.cleanup_ctx.append(lambda _: _running(pool))
    app.router.add_get("/health", lambda _: health(pool))
    app.router.add_get("/metrics.json", lambda _: _answer(requests.summary()))
    for (method, path), workflow in workflows(release).items():
        app.router.add_route(method, path, _counted(workflow, pool, requests))
    return app


async def health(pool: Pool) -> web.Response:
    """The runbook's health answer (step 6): status, database, and a query's latency in milliseconds."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(HEALTH_SECONDS), pool.connection(timeout=HEALTH_SECONDS) as db:
            await db.execute("SELECT 1 FROM users LIMIT 1")
    except (psycopg.Error, PoolTimeout, TimeoutError):
        logger.exception("health.database_unreachable")
        return web.json_response({"status": "unhealthy", "database": "disconnected", "latency": _ms(began)}, status=503)
    return web.json_response({"status": "healthy", "database": "connected", "latency": _ms(began)})


def _counted(
    workflow: Workflow, pool: Pool, requests: Requests
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        began = time.monotonic()
        response = await _served(workflow, pool, request)
        requests.add((time.monotonic() - began) * 1000, failed=response.status >= 500)
        return response

    return handle


async def _served(workflow: Workflow, pool: Pool, request: web.Request) -> web.Response:
    asked = dict(request.query)
    try:
        if request.can_read_body:
            asked |= await request.json()
        async with pool.connection() as db:
            return web.json_response(await workflow(db, asked))
    except ValueError:
        return web.json_response({"error": "The request's body or values cannot be read."}, status=400)
    except Refused as refusal:
        return web.json_response({"error": str(refusal)}, status=401)
    except (psycopg.OperationalError, PoolTimeout):
        logger.exception("request.failed", extra={"facts": {"path": request.path}})
        return web.json_response({"error": "The database did not answer."}, status=503)
    except psycopg.Error:  # for example a column that this release expects and the schema does not have
        logger.exception("request.failed", extra={"facts": {"path": request.path}})
        return web.json_response({"error": "The service could not do this."}, status=500)


async def _answer(value: dict[str, Any]) -> web.Response:
    return web.json_response(value)


def _ms(began: float) -> int:
    return max(1, round((time.monotonic() - began) * 1000))


def _release_header(release: str) -> Any:
    @web.middleware
    async def stamp(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = await handler(request)
        response.headers["X-Release"] = release
        return response

    return stamp


async def _running(pool: Pool) -> AsyncIterator[None]:
    """The service starts without its database too, and says so by its health."""
    await pool.open(wait=False)
    sweeper = asyncio.create_task(_sweep(pool))
    yield
    sweeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sweeper
    await pool.close()


async def _sweep(pool: Pool) -> None:
    while True:
        try:
            async with pool.connection() as db:
                await background(db)
        except (psycopg.Error, PoolTimeout):
            logger.exception("background.failed")
        await asyncio.sleep(BACKGROUND_SECONDS)


async def serve(app: web.Application, *, port: int) -> None:
    """Listen on 127.0.0.1 until SIGTERM or SIGINT, finish what is being answered, then close everything."""
    stop = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, stop.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    try:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        logger.info("service.ready", extra={"facts": {"port": runner.addresses[0][1], "pid": os.getpid()}})
        await stop.wait()
        logger.info("service.stopping")
    finally:
        await runner.cleanup()
    logger.info("service.stopped")


def _deployed() -> str:
    """The release of the folder the service is started in; the first one where none is named."""
    file = Path("release")
    return file.read_text("utf-8").strip() if file.is_file() else FIRST_RELEASE


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and the environment, then serve."""
    parser = argparse.ArgumentParser(prog="python -m bot.demo.sample_app")
    parser.add_argument("--name", required=True, choices=["casework-web", "casework-gateway"])
    parser.add_argument("--port", required=True, type=int, help="0 takes a free one and logs it")
    parser.add_argument("--release", default=_deployed(), help="default: the file release of the folder")
    options = parser.parse_args(arguments)
    if not (dsn := os.environ.get("DATABASE_URL")):
        parser.error("set DATABASE_URL to the database's connection string")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service=options.name, release=options.release))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    asyncio.run(serve(make_app(name=options.name, release=options.release, dsn=dsn), port=options.port))


if __name__ == "__main__":
    main()
