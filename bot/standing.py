"""How a process stands, over HTTP: ``/healthz`` it lives, ``/readyz`` it can work, ``/metrics`` what it counts."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import psycopg
from aiohttp import web
from psycopg_pool import PoolTimeout

from bot import store, telemetry
from bot.engine import Pool
from bot.vitals import Vitals

_SECONDS = 2.0  # for the store to answer; whoever asks gives up soon


class Standing:
    """The three addresses; ``name`` is the process'."""

    def __init__(self, name: str, pool: Pool, vitals: Vitals) -> None:
        self._name, self._pool, self._vitals = name, pool, vitals

    def app(self) -> web.Application:
        made = web.Application()
        made.add_routes(
            [
                web.get("/healthz", self._lives),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._metrics),
            ]
        )
        return made

    async def _lives(self, _request: web.Request) -> web.Response:
        return web.json_response({"process": self._name, "status": "alive"})

    async def _ready(self, _request: web.Request) -> web.Response:
        """503 with the reasons; a platform sends no work there and restarts nothing for it."""
        wrong = dict(self._vitals.wrong())
        if said := await self._asked(self._reads):
            wrong["store"] = said
        status = "ready" if not wrong else "not ready"
        return web.json_response(
            {"process": self._name, "status": status, "wrong": wrong}, status=503 if wrong else 200
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        """Without the store's figures where it does not answer: what the process counts itself is as true as ever."""
        await self._asked(self._counted)
        return web.Response(body=telemetry.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _asked(self, question: Callable[[], Awaitable[None]]) -> str:
        try:
            async with asyncio.timeout(_SECONDS):
                await question()
        except (TimeoutError, PoolTimeout):
            return f"no answer within {_SECONDS:g} s"
        except psycopg.errors.UndefinedTable:
            return "not ready; run: python -m bot release"
        except psycopg.Error as error:
            return type(error).__name__
        return ""

    async def _reads(self) -> None:
        async with self._pool.connection() as conn:
            await store.rows(conn, "observed_runs")

    async def _counted(self) -> None:
        async with self._pool.connection() as conn:
            runs = await store.rows(conn, "observed_runs")
            jobs = await store.rows(conn, "observed_jobs")
            ((plans, letters, notices, overdue),) = await store.rows(conn, "observed_counts", now=time.time())
        for gauge, found in ((telemetry.RUNS, runs), (telemetry.QUEUED, jobs)):
            gauge.clear()
            for label, count in found:
                gauge.labels(label).set(count)
        telemetry.PLANS.set(plans)
        telemetry.LETTERS.set(letters)
        telemetry.NOTICES.set(notices)
        telemetry.NOTICE_AGE.set(max(overdue, 0.0))


async def serve(standing: Standing, host: str, port: int) -> web.AppRunner:
    """Listening; whoever calls cleans the runner up."""
    runner = web.AppRunner(standing.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
