"""Services as processes of this machine: they outlive the bot, and nothing is mistaken for them."""

import asyncio
import functools
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from bot.ports import StepError
from bot.target import Service, Target
from integrations.local.deploys import configured_release
from integrations.local.logs import tail
from integrations.local.platform import LocalPlatform
from integrations.local.records import Record, family, load_record
from integrations.lock import locked
from tests.integrations.services.making import service, target, until

ROOT = Path(__file__).resolve().parents[3]
# A bot that starts the services of a pickled target, says so, and then goes on for ever.
BOT = """
import asyncio, pickle, sys, time
from integrations.local.platform import LocalPlatform
asyncio.run(LocalPlatform().start(pickle.loads(bytes.fromhex(sys.argv[1]))))
print("started", flush=True)
time.sleep(120)
"""


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Target]:
    """A target with two services; nothing is left running afterwards."""
    starts = ("--starts", str(tmp_path / "starts"))
    made = target(tmp_path, service("web", "--release", "r41", *starts), service("gateway", *starts))
    yield made
    await LocalPlatform(stop_seconds=0.2).stop(made)


def record(of: Target, name: str) -> Record:
    found = load_record(of.state / f"{name}.json")
    assert found is not None
    return found


def starts(of: Target) -> list[str]:
    file = of.backups / "starts"
    return file.read_text().split() if file.exists() else []


def another_bot(of: Target) -> subprocess.Popen[bytes]:
    """A bot in a process of its own that starts the services."""
    arguments = [sys.executable, "-c", BOT, pickle.dumps(of).hex()]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)


@contextmanager
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(120)"], start_new_session=True) as it:
        try:
            yield it
        finally:
            it.kill()


def has_spoken(log: Path) -> bool:
    return log.stat().st_size > 0


async def start(of: Target) -> None:
    """Start, and wait until every service has got to its own code."""
    await LocalPlatform().start(of)
    for name in await LocalPlatform().wanted(of):
        await until(functools.partial(has_spoken, of.state / f"{name}.log"))


async def test_what_is_started_runs_and_what_is_stopped_has_ended(web: Target) -> None:
    """Start and stop do what they say, and reading back agrees with the machine."""
    platform = LocalPlatform()
    assert {"web": False, "gateway": False} == await platform.status(web)
    await start(web)
    assert {"web": True, "gateway": True} == await platform.status(web)
    pid = record(web, "web").pid
    assert pid == os.getsid(pid)
    await platform.stop(web)
    assert {"web": False, "gateway": False} == await platform.status(web)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_start_and_stop_twice_are_start_and_stop_once(web: Target) -> None:
    """Every call is idempotent."""
    await start(web)
    before = record(web, "web"), record(web, "gateway")
    await start(web)
    assert before == (record(web, "web"), record(web, "gateway"))
    assert 2 == len(starts(web))
    await LocalPlatform().stop(web)
    await LocalPlatform().stop(web)
    await start(web)
    assert {"web": True, "gateway": True} == await LocalPlatform().status(web)


async def test_the_service_lives_when_its_bot_is_killed(web: Target) -> None:
    """kill -9 of the bot, and of its whole process group, leaves the services running; a new bot finds them."""
    with another_bot(web) as bot:
        assert bot.stdout is not None
        assert b"started\n" == bot.stdout.readline()
        os.killpg(bot.pid, signal.SIGKILL)
    assert {"web": True, "gateway": True} == await LocalPlatform().status(web)
    await LocalPlatform().stop(web)
    assert {"web": False, "gateway": False} == await LocalPlatform().status(web)


async def test_two_bots_at_once_start_one(web: Target) -> None:
    """However many start at the same time, each service is started once."""
    await asyncio.gather(*(LocalPlatform().start(web) for _ in range(4)))
    await until(lambda: len(starts(web)) == 2)
    assert {str(record(web, "web").pid), str(record(web, "gateway").pid)} == set(starts(web))


async def test_a_reused_pid_is_not_the_service(web: Target) -> None:
    """A living process with the recorded pid but another start time is a stranger: not running, not stopped."""
    with stranger() as alien:
        web.state.mkdir()
        stale = {"pid": alien.pid, "created": psutil.Process(alien.pid).create_time() - 60, "release": ""}
        (web.state / "web.json").write_text(json.dumps(stale))
        assert not (await LocalPlatform().status(web))["web"]
        await LocalPlatform().stop(web)
        assert alien.poll() is None


async def test_only_what_ran_is_started_again(web: Target) -> None:
    """A service that did not run before the stop stays as it was."""
    platform = LocalPlatform()
    await platform.start(replace(web, services=web.services[:1]))
    await platform.stop(web)
    assert ("web",) == await platform.wanted(web)
    await platform.start(web)
    assert {"web": True, "gateway": False} == await platform.status(web)
    await platform.forget(web)
    await platform.start(web)
    assert {"web": True, "gateway": True} == await platform.status(web)


async def test_a_stop_that_is_done_again_keeps_the_first_memory(web: Target) -> None:
    """A crash in the middle of a stop does not make the half-stopped state the one to return to."""
    await start(web)
    await LocalPlatform().stop(web)
    await LocalPlatform().stop(web)
    assert ("web", "gateway") == await LocalPlatform().wanted(web)


async def test_a_service_that_a_migration_broke_is_wanted_back(web: Target) -> None:
    """What the last start brought up and has died since is started again after a rollback's stop."""
    platform = LocalPlatform()
    await start(web)
    await platform.stop(web)
    await start(web)
    psutil.Process(record(web, "web").pid).kill()
    await until(lambda: not family(load_record(web.state / "web.json")))
    await platform.stop(web)
    assert ("web", "gateway") == await platform.wanted(web)


async def test_children_and_the_deaf_are_ended_too(tmp_path: Path) -> None:
    """What ignores SIGTERM is killed after the bounded wait, also a child that its service left behind."""
    made = target(tmp_path, service("deaf", "--deaf"), service("parent", "--child"))
    await start(made)
    await until(lambda: len(family(record(made, "parent"))) == 2)
    children = (*family(record(made, "parent")), *family(record(made, "deaf")))
    await LocalPlatform(stop_seconds=0.3).stop(made)
    assert [False] * 3 == [each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in children]


async def test_a_child_left_behind_still_counts_as_running(tmp_path: Path) -> None:
    """A service whose main process died but whose child lives (and may hold sessions) is not stopped."""
    made = target(tmp_path, service("parent", "--child"))
    await start(made)
    await until(lambda: len(family(record(made, "parent"))) == 2)
    os.kill(record(made, "parent").pid, signal.SIGKILL)
    await until(lambda: len(family(record(made, "parent"))) == 1)
    assert {"parent": True} == await LocalPlatform().status(made)
    await LocalPlatform(stop_seconds=0.1).stop(made)
    assert {"parent": False} == await LocalPlatform().status(made)


async def test_a_command_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    """The person reads which service, why, and what to check; nothing is recorded as running."""
    made = target(tmp_path, Service(name="web", health_url="", command=("/no/such/program",)))
    with pytest.raises(StepError, match=r"web could not be started: No such file or directory: /no/such/program") as it:
        await LocalPlatform().start(made)
    assert "Check the command and the folder of web in the configuration, then retry." == it.value.advice
    assert {"web": False} == await LocalPlatform().status(made)
    assert load_record(made.state / "web.json") is None


async def test_without_a_command_or_with_a_wild_name_nothing_is_started(tmp_path: Path) -> None:
    """Both are refused in words."""
    with pytest.raises(StepError, match="web has no command"):
        await LocalPlatform().start(target(tmp_path, Service(name="web", health_url="")))
    with pytest.raises(StepError, match="cannot be used for a file"):
        await LocalPlatform().start(target(tmp_path, Service(name="../web", health_url="", command=("true",))))


async def test_the_lock_is_waited_for_only_so_long(web: Target) -> None:
    """Who finds the services in another's hands says so instead of waiting for ever."""
    web.state.mkdir()
    async with locked(web.state / ".lock", seconds=1.0):
        with pytest.raises(StepError, match="Another process has been working on these services"):
            await LocalPlatform(lock_seconds=0.1).stop(web)


async def test_the_service_gets_its_own_environment_and_not_the_bots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot's tokens stay with the bot; the service's secrets are in its environment, not in its arguments."""
    monkeypatch.setenv("SLACK__BOT_TOKEN", "the-bots")
    made = target(tmp_path, service("web", environment={"DATABASE_URL": "postgresql://app:hunter22@db/x"}))
    await start(made)
    process = psutil.Process(record(made, "web").pid)
    seen, arguments = process.environ(), process.cmdline()
    await LocalPlatform().stop(made)
    assert "postgresql://app:hunter22@db/x" == seen.get("DATABASE_URL")
    assert "SLACK__BOT_TOKEN" not in seen
    assert not any("hunter22" in each for each in arguments)


async def test_the_log_is_shown_without_its_secrets(tmp_path: Path) -> None:
    """Passwords, tokens and connection strings are masked in what people are shown."""
    said = "no route to postgresql://app:hunter22@db/x, key s3cr3t-key, redis://:other@cache, xoxb-12-ab password=zz9"
    made = target(tmp_path, service("web", "--say", said, environment={"API_KEY": "s3cr3t-key"}))
    await start(made)
    shown = "\n".join(await LocalPlatform().log(made, made.services[0], 5))
    await LocalPlatform().stop(made)
    assert "no route to" in shown
    assert [] == [secret for secret in ("hunter22", "s3cr3t-key", "other", "xoxb-12", "zz9") if secret in shown]
    assert 0o600 == (made.state / "web.log").stat().st_mode & 0o777


def test_the_log_is_read_from_its_end(tmp_path: Path) -> None:
    """Only the last lines are shown, however long the log is; without a log there are none."""
    made = target(tmp_path)
    web = Service(name="web", health_url="")
    assert () == tail(tmp_path / "no.log", lines=3, target=made, service=web)
    (tmp_path / "a.log").write_text("".join(f"line {n}\n" for n in range(20_000)))
    assert ("line 19998", "line 19999") == tail(tmp_path / "a.log", lines=2, target=made, service=web)


async def test_the_release_is_the_running_ones(web: Target, tmp_path: Path) -> None:
    """A running service has the release it was started with, whatever the configuration says by now."""
    await start(web)
    newer = replace(web.services[0], command=("true", "--release", "r42"))
    assert "r41" == await LocalPlatform().release(web, newer)
    await LocalPlatform().stop(web)
    assert "r42" == await LocalPlatform().release(web, newer)


def test_the_release_is_read_from_command_environment_or_file(tmp_path: Path) -> None:
    """In this order; without any of them it is not known."""
    plain = Service(name="web", health_url="", folder=str(tmp_path), command=("run",))
    assert "" == configured_release(plain)
    (tmp_path / "release").write_text("r1\n")
    assert "r1" == configured_release(plain)
    assert "r2" == configured_release(replace(plain, environment=(("RELEASE", "r2"),)))
    assert "r3" == configured_release(replace(plain, command=("run", "--release=r3")))
    assert "" == configured_release(replace(plain, command=("run", "--release")))
