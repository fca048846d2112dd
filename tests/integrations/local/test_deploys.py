"""What ran before a run is started again exactly, and what is remembered is of this run."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from bot.ports import StepError
from bot.target import Service, Target
from integrations.local.deploys import as_before, configured_release, pinned
from integrations.local.memory import load_memory
from integrations.local.platform import LocalPlatform
from integrations.local.records import Record, family, load_record
from tests.integrations.services.making import SERVICE, free_port, service, target, until

ROOT = Path(__file__).resolve().parents[3]
# A bot that remembers for run-1, says so, and is killed before it could stop anything.
BOT = """
import asyncio, pickle, sys, time
from integrations.local.platform import LocalPlatform
asyncio.run(LocalPlatform().remember(pickle.loads(bytes.fromhex(sys.argv[1])), "run-1"))
print("remembered", flush=True)
time.sleep(120)
"""


def deploy(folder: Path, release: str) -> Path:
    """As people deploy: a folder for the release, and ``current`` moved to it."""
    made = folder / "releases" / release
    made.mkdir(parents=True)
    (made / "release").write_text(f"{release}\n")
    (made / "web.py").write_bytes(SERVICE.read_bytes())
    (folder / "new").symlink_to(made)
    (folder / "new").replace(folder / "current")
    return made


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Target]:
    """One service whose folder is a link to its release 1.4.2; nothing is left running afterwards."""
    deploy(tmp_path, "1.4.2")
    current = tmp_path / "current"
    command = (sys.executable, "-S", f"{current}/web.py", "--port", str(free_port()))
    made = target(tmp_path, Service(name="web", health_url="", folder=str(current), command=command))
    yield made
    await LocalPlatform(stop_seconds=0.2).stop(made)


def a_bot_that_remembers(of: Target) -> subprocess.Popen[bytes]:
    """A bot in a process of its own, which goes on for ever."""
    arguments = [sys.executable, "-c", BOT, pickle.dumps(of).hex()]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE)


async def restarted(platform: LocalPlatform, of: Target, run: str, *, previous: bool = False) -> Record:
    """One stop and one start of a run."""
    await platform.remember(of, run)
    await platform.stop(of)
    await platform.start(of, previous=previous)
    return record(of)


def record(of: Target) -> Record:
    found = load_record(of.state / "web.json")
    assert found is not None
    return found


async def test_what_ran_is_started_again_exactly(web: Target, tmp_path: Path) -> None:
    """Command, folder and release are those of before, though the link leads elsewhere by now."""
    platform = LocalPlatform()
    await platform.start(web)
    first = record(web)
    deploy(tmp_path, "2.0.0")
    forward = await restarted(platform, web, "run-1")
    back = await restarted(platform, web, "run-1", previous=True)
    assert ("1.4.2", "2.0.0", "1.4.2") == (first.release, forward.release, back.release)
    assert (first.command, first.folder) == (back.command, back.folder)
    assert str(tmp_path / "releases" / "1.4.2") == psutil.Process(back.pid).cwd()
    assert str(tmp_path / "releases" / "1.4.2" / "web.py") in psutil.Process(back.pid).cmdline()


async def test_the_memory_survives_the_bots_death(web: Target, tmp_path: Path) -> None:
    """kill -9 right after remembering, a deploy, another bot: it still goes back to what the run found."""
    await LocalPlatform().start(web)
    with a_bot_that_remembers(web) as bot:
        assert bot.stdout is not None
        assert b"remembered\n" == bot.stdout.readline()
        os.kill(bot.pid, signal.SIGKILL)
    deploy(tmp_path, "2.0.0")
    assert "2.0.0" == (await restarted(LocalPlatform(), web, "run-1")).release
    assert "1.4.2" == (await restarted(LocalPlatform(), web, "run-1", previous=True)).release


async def test_no_secret_is_written(tmp_path: Path) -> None:
    """The environment is not remembered: the one configured now is used."""
    made = target(tmp_path, service("web", environment={"DATABASE_URL": "postgresql://app:hunter22@db/x"}))
    platform = LocalPlatform()
    await platform.start(made)
    await platform.remember(made, "run-1")
    await platform.stop(made)
    written = [path.read_text() for path in made.state.iterdir() if path.is_file()]
    rotated = replace(made, services=(replace(made.services[0], environment=(("DATABASE_URL", "rotated"),)),))
    await platform.start(rotated, previous=True)
    seen = psutil.Process(record(made).pid).environ()["DATABASE_URL"]
    await platform.stop(made)
    assert [] == [text for text in written if "hunter22" in text]
    assert "rotated" == seen


async def test_a_run_after_a_good_one_returns_to_the_new_deploy(web: Target, tmp_path: Path) -> None:
    """What the first run brought is what the second one finds, and returns to."""
    platform = LocalPlatform()
    await platform.start(web)
    for release, run in (("2.0.0", "run-1"), ("3.0.0", "run-2")):
        deploy(tmp_path, release)
        await restarted(platform, web, run)
    assert "2.0.0" == (await restarted(platform, web, "run-2", previous=True)).release


async def test_what_an_earlier_run_left_down_is_still_wanted(web: Target, tmp_path: Path) -> None:
    """A failed run that was closed with the services down: the next one brings up what ran last."""
    platform = LocalPlatform()
    await platform.start(web)
    await platform.remember(web, "run-1")
    await platform.stop(web)
    deploy(tmp_path, "2.0.0")
    await platform.remember(web, "run-2")
    assert ("web",) == await platform.wanted(web)
    await platform.start(web, previous=True)
    assert "1.4.2" == record(web).release


async def test_a_bot_that_died_in_the_middle_of_a_stop_has_left_it_down(web: Target) -> None:
    """Ended but not yet written down as gone: that is our stop, and no wish of anybody."""
    platform = LocalPlatform()
    await platform.start(web)
    await platform.remember(web, "run-1")
    left = (web.state / "web.json").read_text()
    await platform.stop(web)
    (web.state / "web.json").write_text(left)
    await platform.remember(web, "run-2")
    assert ("web",) == await platform.known(web, "run-2")


async def test_what_ended_by_itself_before_a_run_stays_as_it_was(web: Target) -> None:
    """A new run does not bring up what an earlier one had found running and people have ended since."""
    platform = LocalPlatform()
    await platform.start(web)
    await restarted(platform, web, "run-1")
    psutil.Process(record(web).pid).kill()
    await until(lambda: not family(load_record(web.state / "web.json")))
    await platform.remember(web, "run-2")
    assert ((), ()) == (await platform.wanted(web), await platform.known(web, "run-2"))


async def test_the_memory_of_an_older_bot_is_read(web: Target) -> None:
    """Updated in the middle of a run: what it says of who ran counts, deploys it does not know."""
    platform = LocalPlatform()
    web.state.mkdir()
    (web.state / ".before").write_text(json.dumps({"idle": []}))
    await platform.remember(web, "run-1")
    assert (("web",), (), "") == (
        await platform.wanted(web), await platform.known(web, "run-1"), await platform.previous(web, web.services[0])
    )  # fmt: skip
    old = {"pid": 1, "created": 1.0, "release": "1.4.2"}
    (web.state / "web.json").write_text(json.dumps(old))
    assert Record(pid=1, created=1.0, release="1.4.2") == record(web)


async def test_a_folder_that_no_longer_holds_the_release_is_refused(web: Target, tmp_path: Path) -> None:
    """Deployed over, or removed: starting what is there would not be going back, and nothing is started."""
    platform, folder = LocalPlatform(), tmp_path / "releases" / "1.4.2"
    await platform.start(web)
    await platform.remember(web, "run-1")
    await platform.stop(web)
    (folder / "release").write_text("2.0.0")
    with pytest.raises(StepError, match=r"web cannot go back to release 1\.4\.2: .* holds release 2\.0\.0") as refused:
        await platform.start(web, previous=True)
    shutil.rmtree(folder)
    with pytest.raises(StepError, match=r"web cannot go back to release 1\.4\.2: .*1\.4\.2 is gone by now"):
        await platform.start(web, previous=True)
    assert f"Put the former release back into {folder}, then retry." == refused.value.advice
    assert {"web": False} == await platform.status(web)


def test_a_release_that_the_environment_names_is_named_as_before(tmp_path: Path) -> None:
    """The name is no secret and belongs to the deploy; the rest of the environment is today's."""
    now = Service(name="web", health_url="", command=("run",), environment=(("RELEASE", "2"), ("KEY", "k2")))
    then = as_before(now, Record(pid=1, created=1.0, release="1", command=("./run",), folder=str(tmp_path)))
    assert (("./run",), str(tmp_path), {"RELEASE": "1", "KEY": "k2"}) == (
        then.command,
        then.folder,
        dict(then.environment),
    )


def test_only_what_is_inside_the_folder_moves_with_it(tmp_path: Path) -> None:
    """A path elsewhere, and one that only begins alike, stay as they are."""
    made, link = deploy(tmp_path, "1.4.2"), tmp_path / "current"
    command = (f"{link}/web.py", f"{link}ly/web.py", "/usr/bin/env", "web.py")
    found = pinned(Service(name="web", health_url="", folder=str(link), command=command))
    assert (f"{made}/web.py", *command[1:]) == found.command
    assert (str(made), "1.4.2") == (found.folder, configured_release(found))
    assert load_memory(tmp_path / "nothing") is None
