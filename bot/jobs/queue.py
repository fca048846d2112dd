"""The ``Queue`` port on procrastinate: jobs in the bot's own PostgreSQL, deferred in the caller's transaction."""

import datetime
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import procrastinate
from procrastinate import exceptions
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from bot import telemetry
from bot.ports import Job

QUEUE = "migrate"
Handler = Callable[..., Awaitable[None]]


def procrastinate_app() -> procrastinate.App:
    """The job engine; nothing connects until it is opened with a pool."""
    return procrastinate.App(connector=procrastinate.PsycopgConnector())


def register(app: procrastinate.App, handlers: Mapping[str, Handler]) -> None:
    """One task per handler, found again by its name in whichever process runs the job."""
    for name, handler in handlers.items():
        app.task(name=name, queue=QUEUE)(_counted(name, handler))


def _counted(name: str, handler: Handler) -> Handler:
    async def run(*arguments: Any, **named: Any) -> None:
        with telemetry.job(name, str(named.get("run_id", ""))):
            await handler(*arguments, **named)

    return run


class ProcrastinateQueue:
    """``Queue`` over an app that knows the tasks by name."""

    def __init__(self, app: procrastinate.App) -> None:
        self._app = app

    async def defer(self, connection: AsyncConnection[Any], job: Job) -> None:
        """Queue ``job`` with the caller's commit.

        The savepoint is for ``once``: the queue refuses a second waiting job by a unique index, and that must not
        break the transaction around it.
        """
        deferrer = self._app.configure_task(
            job.name,
            queue=QUEUE,
            lock=job.lock or None,
            queueing_lock=job.once or None,
            schedule_at=_moment(job.delay),
            connection=connection,
        )
        try:
            async with connection.transaction():
                await deferrer.defer_async(run_id=job.run_id, **job.arguments)
        except exceptions.AlreadyEnqueued:
            return


def _moment(delay: float) -> datetime.datetime | None:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=delay) if delay > 0 else None


async def opened(app: procrastinate.App, pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
    """Give the app our pool: one set of connections for the whole process."""
    await app.open_async(pool)


def wake_up() -> str:
    """The NOTIFY payload that makes waiting workers look: a re-queued job sends none of its own."""
    return json.dumps({"type": "job_inserted", "job_id": 0})
