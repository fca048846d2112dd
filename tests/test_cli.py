"""The command line: the same rules and the same ledger as in Slack, for when Slack is down."""

import asyncio
import getpass
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from bot.demo import cast
from bot.demo.processes import free_port
from bot.demo.workspace import Workspace
from bot.engine import Engine
from bot.runbook import intents as i
from bot.runbook.digest import short
from bot.runbook.run import Run, State
from bot.runbook.rungs import Envelope
from bot.runbook.steps import StepName
from tests.kit import DANA, backstage, plan, reaches, ready
from tests.posted import KEYS, key_of

TARGETS = """\
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "{channel}"
migrations = "migrations"
backups = "backups"
speed = 3000
checklist = "off"

[targets.casework.policy]
approvers = ["U2", "U3"]
owners = ["U1"]

[operators.{user}]
id = "U1"
name = "Dana"

[operators.alex]
id = "U2"
name = "Alex"

[operators.priya]
id = "U3"
name = "Priya"

[operators.lee]
id = "U9"
name = "Lee"
"""
PLAN = ("--field", "target=casework", "--field", "name=Case priority", "--field", "purpose=Urgent cases first",
        "--field", "files=001.sql", "--field", "minutes=5")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine the bot runs on, with no Slack at all."""

    folder: Path
    environment: dict[str, str] = field(repr=False)

    async def bot(self, *arguments: str, without: str = "") -> tuple[int, str]:
        """Exit code and what was said, on either stream."""
        environment = {name: value for name, value in self.environment.items() if name != without}
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            env={**os.environ, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode is not None
        return child.returncode, said.decode().strip()

    async def does(self, *arguments: str) -> str:
        """What was said by a command that worked."""
        code, said = await self.bot(*arguments)
        assert 0 == code, said
        return said

    async def refuses(self, *arguments: str) -> str:
        """What was said by a command that was refused: one clear line, and no traceback."""
        code, said = await self.bot(*arguments)
        assert 1 == code, said
        assert "Traceback" not in said
        return said


@pytest.fixture
def host(store_dsn: str, tmp_path: Path) -> Host:
    """A host with four operators and one target; nothing is released yet."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001.sql").write_text("select 1;")
    (tmp_path / "targets.toml").write_text(TARGETS.format(channel=cast.ENGINEERING, user=getpass.getuser()))
    environment = {
        "DATABASE_URL": store_dsn,
        "TARGETS_FILE": str(tmp_path / "targets.toml"),
        "CASEWORK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/casework_prod",
    }
    return Host(folder=tmp_path, environment=environment)


@asynccontextmanager
async def worker(host: Host, port: int) -> AsyncIterator[None]:
    """A worker and clock whose Slack is at ``port``, whether anybody is there or not."""
    arguments = (host.environment["DATABASE_URL"], str(host.folder), f"http://127.0.0.1:{port}/api/")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.slack_worker", *arguments, cast.seed().bot_token, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield
        assert child.returncode is None
    finally:
        child.kill()
        await child.wait()


async def test_a_whole_run_without_slack_and_its_letters_when_slack_is_back(host: Host) -> None:
    """Started, approved, held and finished by hand under the same rules; the channel then reads it all, once."""
    assert "up to date" in await host.does("release")
    started = await host.does("migrate", "start", "--as", "U2", *PLAN)
    port = free_port()
    dsn = host.environment["DATABASE_URL"]
    async with backstage(dsn) as stage, worker(host, port):
        run = (await stage.engine.active())[0]
        assert run.id in started and "Alex" == run.plan.starter_name
        run = await reaches(stage.engine, run.id, _asks, seconds=30)
        await _rules_hold(host, stage.engine, run)
        while not run.final:
            assert run.question is not None
            await host.does("migrate", "approve", short(run.question.digest), "--as", "U3")
            number = run.question.number
            run = await reaches(
                stage.engine, run.id, lambda found, n=number: found.final or _asks(found, n), seconds=60
            )  # type: ignore[misc]
        assert State.COMPLETED is run.state
        await _the_record_is_there(host, run)
        async with stage.engine.connection() as conn:
            counted = await (
                await conn.execute("select count(*), sum(posted) from letters where run_id like 'm-%'")
            ).fetchone()
        assert counted is not None
        assert counted[0] > 10 and counted[1] == 0
        await _all_letters_arrive(dsn, port, counted[0])


def _asks(run: Run, after: int = 0) -> bool:
    return run.question is not None and run.question.number > after


async def _rules_hold(host: Host, engine: Engine, run: Run) -> None:
    """What Slack would refuse is refused here, and the ledger does not know of it."""
    assert run.question is not None
    digest = short(run.question.digest)
    own = await host.refuses("migrate", "approve", digest, "--as", "U2")
    assert "You planned, started or took over this migration" in own
    assert "not an approver" in await host.refuses("migrate", "approve", digest, "--as", "U9")
    assert "casework is being migrated" in await host.refuses("migrate", "start", *PLAN)
    async with engine.connection() as conn:  # time goes on and is recorded; what people were refused is not
        query = "select count(*) from ledger where actor in ('U1', 'U9') or (actor = 'U2' and kind <> 'Started')"
        assert (0,) == await (await conn.execute(query)).fetchone()
    status = await host.does("migrate", "status")
    assert "Create pre-migration backup" in status and "<@" not in status and "<!" not in status


async def _the_record_is_there(host: Host, run: Run) -> None:
    """Verified, shown and exported; every approval says it came by the command line."""
    assert "is whole" in await host.does("ledger", "verify", run.id)
    shown = await host.does("ledger", "show", run.id)
    record = json.loads(await host.does("ledger", "export", run.id))
    assert (run.id, "completed", len(shown.splitlines())) == (record["run"], record["state"], len(record["events"]))
    approvals = [event["event"]["approval"] for event in record["events"] if event["kind"] == "Approved"]
    assert 4 == len(approvals)
    assert {("U3", "Priya", f"command line, as {getpass.getuser()}")} == {
        (one["person"], one["name"], one["via"]) for one in approvals
    }


async def _all_letters_arrive(dsn: str, port: int, count: int) -> None:
    """Slack comes back: every letter is posted, each once, in the order it was written."""
    workspace = Workspace(cast.seed())
    await workspace.start(port=port)
    try:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn, asyncio.timeout(60):
            query = "select count(*) from letters where posted < wanted"
            while (await (await conn.execute(query)).fetchone() or (1,))[0]:
                await asyncio.sleep(0.05)
            query = f"select {KEYS} from letters where run_id like 'm-%' order by seq"
            rows = await (await conn.execute(query.encode())).fetchall()
        posted = [key_of(message) for message in workspace.messages(cast.ENGINEERING)]
        assert {1} == set(Counter(posted).values())
        assert (count, [row[0] for row in rows]) == (len(rows), [each for each in posted if not each.startswith("f-")])
    finally:
        await workspace.stop()


async def test_hold_and_resume_by_hand(host: Host) -> None:
    """Anybody of the host may stop it; an owner lets it go on; an outsider does not."""
    await ready(host.environment["DATABASE_URL"])
    async with backstage(host.environment["DATABASE_URL"]) as stage:
        run = await stage.engine.start(plan())
        run = await stage.engine.handle(run.id, i.Begin(attempt=1))
        await stage.engine.handle(run.id, i.Finish(claim=run.claim or 0))
        assert run.id in await host.does("migrate", "hold", "the disk is filling up", "--as", "U9")
        assert State.HELD is (await stage.engine.load(run.id)).state
        assert "not an owner" in await host.refuses("migrate", "resume", "--as", "U9")
        assert "U77 is not an operator" in await host.refuses("migrate", "resume", "--as", "U77")
        assert "Type a reason behind the verb" in await host.refuses("migrate", "abort", "--as", "U2")
        assert run.id in await host.does("migrate", "resume")
        found = await stage.engine.load(run.id)
        assert (State.PREPARING, StepName.BACKUP) == (found.state, found.step.name)


async def test_what_was_kept_is_cleaned_up_and_a_way_back_agreed_on_by_hand(host: Host) -> None:
    """The same fields and verbs as in Slack: an envelope, a deadline, the runs that keep something, a clean-up."""
    dsn = host.environment["DATABASE_URL"]
    await ready(dsn)
    assert "No ended run is known" in await host.does("migrate", "cleanup")
    agreed = ("--field", "deadline=4", "--field", "envelope_rows=5", "--field", "envelope_minutes=2")
    await host.does("migrate", "start", *PLAN, *agreed)
    async with backstage(dsn) as stage:
        (run,) = await stage.engine.active()
        assert (14400.0, Envelope(rows=5, minutes=2)) == (run.plan.rollback_deadline, run.plan.envelope)
        assert "still active" in await host.refuses("migrate", "cleanup", run.id)
        run = await stage.engine.handle(run.id, i.Abort(person=DANA, reason="wait"))
        run = await stage.engine.handle(run.id, i.Begin(attempt=1))
        await stage.engine.handle(run.id, i.Finish(claim=run.claim or 0))
        assert f"Clean up after {run.id} has started" in await host.does("migrate", "cleanup", run.id, "--as", "U2")
        (cleaning,) = await stage.engine.active()
        assert run.id == cleaning.plan.cleans


async def test_a_ledger_that_was_tampered_with_is_found_and_the_exit_code_says_so(host: Host) -> None:
    """A script that checks every night learns of it."""
    dsn = host.environment["DATABASE_URL"]
    await ready(dsn)
    async with backstage(dsn) as stage:
        run = await stage.engine.start(plan())
        await stage.engine.handle(run.id, i.PullCord(person=DANA, reason="wait"))
    assert "is whole" in await host.does("ledger", "verify", run.id)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        await conn.execute("alter table ledger disable trigger user")
        await conn.execute("update ledger set actor = 'U66' where seq = 2")
    assert "line 2 does not fit" in await host.refuses("ledger", "verify", run.id)


async def test_a_command_that_cannot_work_says_what_to_do_and_exits_with_one(host: Host) -> None:
    """No traceback, whatever is missing."""
    assert "python -m bot release" in await host.refuses("migrate", "status")
    await ready(host.environment["DATABASE_URL"])
    assert "no run “m-nowhere”" in await host.refuses("ledger", "verify", "m-nowhere")
    assert "/migrate help" in await host.refuses("migrate", "frobnicate")
    assert "not a field of a plan" in await host.refuses("migrate", "start", "--field", "colour=red")
    assert "migration file" in await host.refuses("migrate", "start", *PLAN[:6], "--field", "files=gone.sql")
    assert "or neither" in await host.refuses("migrate", "start", *PLAN, "--field", "envelope_rows=5")
    assert "no run “m-nowhere”" in await host.refuses("migrate", "cleanup", "m-nowhere")
    assert "No migration is active" in await host.refuses("migrate", "rung", "restore")
    code, said = await host.bot("migrate", "status", without="DATABASE_URL")
    assert (1, True) == (code, said.startswith("DATABASE_URL: "))
    code, said = await host.bot("web")
    assert 1 == code and "SLACK__BOT_TOKEN" in said


async def test_a_store_that_is_away_is_said_without_its_password(host: Host) -> None:
    """The variable to look at, and no traceback."""
    host.environment["DATABASE_URL"] = "postgresql://bot:s3cret@127.0.0.1:1/store"
    said = await host.refuses("release")
    assert "Check DATABASE_URL" in said and "s3cret" not in said


@pytest.mark.parametrize("arguments", [(), ("fly",), ("ledger", "burn", "m-1"), ("migrate",)])
async def test_a_wrong_call_exits_with_two(host: Host, arguments: tuple[str, ...]) -> None:
    """As every command of the system does."""
    code, said = await host.bot(*arguments)
    assert 2 == code and "usage:" in said
