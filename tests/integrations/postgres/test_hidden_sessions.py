"""A role without pg_read_all_stats: sessions of other roles are seen, ended where it may, and the grant is named."""

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.health.pool import connections_used
from integrations.postgres import stopped
from integrations.postgres.beside import FILE
from integrations.postgres.connect import Session, rows, session
from integrations.postgres.costs import warnings
from integrations.postgres.orphans import signal_session
from integrations.services.steps import StopServices
from tests.fakes import FakePlatform
from tests.integrations.postgres.conftest import Until
from tests.integrations.services.making import context, run_at, target

GRANT = "GRANT pg_monitor, pg_signal_backend TO migrate_poor"


@pytest_asyncio.fixture
async def root(pg: EmbeddedPostgres) -> AsyncIterator[Session]:
    """A superuser's session on another database, and a role without any right while it lasts."""
    async with session(pg.dsn(), "test") as db:
        await db.execute("create role migrate_poor login password 'poor'")
        yield db
        await db.execute("drop role migrate_poor")


@pytest.fixture
def poor(pg: EmbeddedPostgres, casework: Casework, root: Session) -> str:
    """The sample database, for a role that may see and end nobody else's session."""
    return pg.dsn(casework.name, user="migrate_poor", password="poor")


@pytest_asyncio.fixture
async def stranger(casework: Casework) -> AsyncIterator[Session]:
    """The services' role, connected; a test may end it."""
    db = await psycopg.AsyncConnection.connect(casework.app_dsn, application_name="casework-web")
    yield db
    await db.close()


async def test_it_is_seen_with_the_grant(poor: str, stranger: Session) -> None:
    """A session of which nothing but its user is known counts as a client, and says what is missing."""
    (found,) = await stopped.application_sessions(poor)

    assert (stranger.info.backend_pid, "casework_app", GRANT) == (found.pid, found.user, found.missing)


async def test_it_uses_a_connection(tmp_path: Path, poor: str, casework: Casework) -> None:
    """The pool is as full for a role that may not see who fills it."""
    before = await connections_used(target(tmp_path, dsn=poor))
    async with await psycopg.AsyncConnection.connect(casework.app_dsn):
        during = await connections_used(target(tmp_path, dsn=poor))

    assert before is not None and during is not None
    assert before < during


async def test_it_counts_as_at_work(poor: str, casework: Casework, stranger: Session) -> None:
    """Where nobody may see whether a session is at work, the risk is judged as if it were."""
    async with session(poor, "migrate/r/apply") as db:
        ((hidden, *_),) = await rows(db, "load", None, "risk_facts.sql")
    async with session(casework.owner_dsn, "migrate/r/apply") as db:
        ((seen, *_),) = await rows(db, "load", None, "risk_facts.sql")

    assert (1, 0) == (hidden, seen)


async def test_nothing_is_missing_for_a_role_that_sees_all(casework: Casework, stranger: Session) -> None:
    """With pg_monitor no grant is named, and the server's own workers are nobody."""
    assert [""] == [each.missing for each in await stopped.application_sessions(casework.owner_dsn)]


async def test_it_is_named_for_whoever_copies_or_switches(poor: str, casework: Casework, stranger: Session) -> None:
    """Both lists of who is in the way have it."""
    pid = stranger.info.backend_pid
    async with session(poor, "migrate/r/go_back") as db:
        found = await rows(db, "sessions_in", {"names": [casework.name]}, FILE)
        ((there, who),) = await rows(db, "connected_to", {"name": casework.name}, FILE)

    assert pid in [each for each, *_ in found]
    assert (pid, True) == (there, "(user casework_app)" in str(who))


async def test_it_is_ended_where_the_role_may(
    poor: str, casework: Casework, root: Session, stranger: Session, until: Until
) -> None:
    """pg_signal_backend suffices: a session whose beginning is hidden is ended by its pid."""
    await root.execute("grant pg_signal_backend to migrate_poor")
    async with session(poor, "migrate/r/go_back") as db:

        async def gone() -> bool:
            return not await rows(db, "sessions_in", {"names": [casework.name]}, FILE)

        for pid, started, _ in await rows(db, "sessions_in", {"names": [casework.name]}, FILE):
            assert "" == await signal_session(db, "terminate", f"{pid}@{started}")
        await until(gone)


async def test_the_question_names_the_grant(poor: str, casework: Casework, stranger: Session) -> None:
    """Before anything is approved it is said that a session is out of reach, and what to grant."""
    async with session(poor, "migrate/r/go_back") as db:
        found = await warnings(db, casework.name)

    assert f"⚠️ This role may not see or end 1 session of another role: as a superuser, {GRANT} first." in found


async def test_a_role_that_may_all_is_not_warned(casework: Casework, stranger: Session) -> None:
    """With the grants nothing is said."""
    async with session(casework.owner_dsn, "migrate/r/go_back") as db:
        assert () == await warnings(db, casework.name)


async def test_the_stop_is_refused_with_the_grant(tmp_path: Path, poor: str, stranger: Session) -> None:
    """A hidden session that stays is no proof of a stop: the refusal says what to grant."""
    step = StopServices(platform=FakePlatform(), sessions=stopped, drain_seconds=0.1)
    with pytest.raises(StepError, match=r"\(casework-web, user casework_app\)") as refused:
        await step.run(context(run_at(StepName.STOP_SERVICES), target(tmp_path, dsn=poor)))

    assert f"as a superuser: {GRANT}." in refused.value.advice
