"""One worker: runs jobs, proves that it lives, and rescues the jobs of those that do not."""

import asyncio

import procrastinate
import structlog
from procrastinate.worker import Worker
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.engine import Engine, Pool
from bot.errands import driving
from bot.jobs.queue import QUEUE, ProcrastinateQueue
from bot.jobs.rescue import hold_liveness, rescue_for_ever
from bot.jobs.whereabouts import whereabouts
from bot.runbook.run import State
from bot.vitals import Beat

_log = structlog.get_logger()
_SILENCE = 10.0  # seconds the store may take to answer before this worker holds its lock for lost
_NEVER = 10 * 365 * 86400.0  # seconds: heartbeats never prune; the advisory lock is the only judge of who lives


class _LivingWorker(Worker):
    """procrastinate's worker, which takes its liveness lock after it got its number and before its first job."""

    def __init__(self, app: procrastinate.App, dsn: str, concurrency: int, beat: Beat | None = None) -> None:
        super().__init__(
            app=app,
            queues=[QUEUE],
            concurrency=concurrency,
            fetch_job_polling_interval=1.0,  # a second job of the same lock sends its NOTIFY too early to be taken
            install_signal_handlers=False,
            shutdown_graceful_timeout=5.0,
            delete_jobs="successful",
            stalled_worker_timeout=_NEVER,
        )
        self._dsn = dsn
        self._beat = beat or Beat(every=_SILENCE)
        self.ready = asyncio.Event()

    async def _run_loop(self) -> None:
        dsn = with_keepalive(self._dsn)
        async with await AsyncConnection.connect(dsn, autocommit=True, application_name=whereabouts()) as conn:
            if self.worker_id is None:
                raise RuntimeError("procrastinate gave the worker no number")
            await hold_liveness(conn, self.worker_id)
            self.ready.set()
            watch = asyncio.create_task(self._watch(conn))
            try:
                await super()._run_loop()  # type: ignore[no-untyped-call]
            finally:
                watch.cancel()

    async def _watch(self, conn: AsyncConnection[tuple[object, ...]]) -> None:
        """Without its lock a worker must not go on: a peer may already be doing its work."""
        try:
            while True:
                async with asyncio.timeout(_SILENCE):
                    await conn.execute("select 1")
                self._beat()
                await asyncio.sleep(1.0)
        except Exception:
            _log.exception("worker.liveness_lost", worker=self.worker_id)
            self.shutdown_graceful_timeout = 0.0
            self.stop()  # type: ignore[no-untyped-call]
            raise


def with_keepalive(dsn: str) -> str:
    """The same connection, of which both ends notice within seconds that the other is gone.

    The server's end matters most: only when it gives the connection up is the liveness lock free for a peer.
    """
    server = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000"
    options = f"{conninfo_to_dict(dsn).get('options') or ''} {server}".strip()
    return make_conninfo(
        dsn, keepalives_idle=5, keepalives_interval=2, keepalives_count=3, tcp_user_timeout=10000, options=options
    )


class WorkerStopped(Exception):
    """The worker ended by itself (its store went away); whoever supervises starts it again."""


async def work(
    engine: Engine, app: procrastinate.App, pool: Pool, dsn: str, *, concurrency: int = 8, beat: Beat | None = None
) -> None:
    """Run jobs until cancelled.  Work that lost its job is queued again first.  ``beat``: told that it lives."""
    await requeue_lost(engine, ProcrastinateQueue(app))
    worker = _LivingWorker(app, dsn, concurrency, beat)
    running: asyncio.Task[None] = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
    await asyncio.wait({running, asyncio.create_task(worker.ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        return await running
    rescuer = asyncio.create_task(rescue_for_ever(pool, mine=worker.worker_id or 0))
    try:
        await asyncio.wait({running, rescuer}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, rescuer):
            if task.done():
                task.result()
        raise WorkerStopped("The worker lost its connection to the store and stopped; it is started again.")
    finally:
        rescuer.cancel()
        running.cancel()
        await asyncio.gather(rescuer, running, return_exceptions=True)


async def requeue_lost(engine: Engine, queue: ProcrastinateQueue) -> None:
    """Every run that should be worked on has a job, whatever happened to the queue."""
    for run in await engine.active():
        if run.state in (State.PREPARING, State.WORKING):
            async with engine.connection() as conn:
                await queue.defer(conn, driving(run))
