"""Jobs of a dead worker go back to the queue in under a second.

Every worker holds a session advisory lock on its own number for as long as it lives; PostgreSQL lets go of it the
moment the process is gone.  A peer that can take the lock has the proof, and re-queues what the dead one was doing.
A machine that vanishes without closing its connections is given up by the server within seconds, because the
liveness connection asks it to (``with_keepalive``); procrastinate's own heartbeats are not used.
"""

import asyncio

import psycopg
import structlog
from psycopg.errors import UniqueViolation
from psycopg_pool import PoolTimeout

from bot import store
from bot.engine import Pool
from bot.jobs.queue import wake_up

LIVENESS = 7270  # the first half of the advisory lock; the second is the worker's number
_log = structlog.get_logger()

_BUSY = "select distinct worker_id from procrastinate_jobs where status = 'doing' and worker_id is not null"
_ORPHANS = "select id from procrastinate_jobs where status = 'doing' and worker_id is null for update skip locked"
_JOBS_OF = "select id from procrastinate_jobs where status = 'doing' and worker_id = %s"


async def hold_liveness(conn: store.Connection, worker: int) -> None:
    """Take the lock that says this worker lives; it is held until ``conn`` closes."""
    await conn.execute("select pg_advisory_lock(%s, %s)", (LIVENESS, worker))


async def rescue_for_ever(pool: Pool, *, mine: int, every: float = 0.5) -> None:
    """Look for dead workers until cancelled."""
    while True:
        try:
            await rescue(pool, mine=mine)
        except (psycopg.Error, PoolTimeout) as error:  # the next round looks again; our own steps go on meanwhile
            _log.warning("rescue.failed", why=str(error))
        await asyncio.sleep(every)


async def rescue(pool: Pool, *, mine: int) -> int:
    """Re-queue the jobs of every worker that is dead; how many jobs that were."""
    async with pool.connection() as conn:
        busy = [row[0] for row in await (await conn.execute(_BUSY)).fetchall() if row[0] != mine]
        count = await _requeue(conn, [row[0] for row in await (await conn.execute(_ORPHANS)).fetchall()])
        for worker in busy:
            count += await _rescue_worker(conn, worker)
    return count


async def _rescue_worker(conn: store.Connection, worker: int) -> int:
    """Two rescuers at once: the transaction-level lock lets one of them through, and it looks at the rows then."""
    got = await (await conn.execute("select pg_try_advisory_xact_lock(%s, %s)", (LIVENESS, worker))).fetchone()
    if not got or not got[0]:
        return 0
    found = [row[0] for row in await (await conn.execute(_JOBS_OF, (worker,))).fetchall()]
    if found:
        _log.warning("worker.rescued", worker=worker, jobs=len(found))
    return await _requeue(conn, found)


async def _requeue(conn: store.Connection, jobs: list[int]) -> int:
    for job in jobs:
        try:
            async with conn.transaction():
                await conn.execute("select procrastinate_retry_job_v2(%s, now(), null, null, null)", (job,))
        except UniqueViolation:  # the same work is already waiting: the dead one's copy is not needed
            await conn.execute("select procrastinate_finish_job_v1(%s, 'failed', false)", (job,))
    if jobs:
        await conn.execute("select pg_notify('procrastinate_any_queue_v1', %s)", (wake_up(),))
        await conn.execute("select pg_notify('procrastinate_queue_v1#migrate', %s)", (wake_up(),))
    return len(jobs)
