"""The ways the bot runs for real: everything in one process by Socket Mode, and over signed HTTP."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.demo import cast
from bot.demo.processes import free_port
from bot.demo.workspace import Workspace
from bot.demo.workspace.player import Player

TARGETS = f"""\
[targets.casework]
checklist = "off"
dsn_env = "CASEWORK_DATABASE_URL"
channel = "{cast.ENGINEERING}"
migrations = "migrations"
backups = "backups"

[targets.casework.policy]
approvers = ["{cast.APPROVERS_GROUP}"]
owners = ["{cast.STARTER}"]
"""


@asynccontextmanager
async def bot(*arguments: str, environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """``python -m bot …`` with that environment; ended as a platform ends it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        await asyncio.wait_for(child.wait(), 20)


@pytest.fixture
def environment(store_dsn: str, tmp_path: Path) -> Mapping[str, str]:
    """What is common to both modes; the target is never reached here."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001.sql").write_text("select 1;")
    (tmp_path / "targets.toml").write_text(TARGETS)
    return {
        "DATABASE_URL": store_dsn,
        "TARGETS_FILE": str(tmp_path / "targets.toml"),
        "CASEWORK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/casework_prod",
    }


async def test_one_process_is_web_worker_and_clock(environment: Mapping[str, str]) -> None:
    """``python -m bot run`` makes the store ready, connects by Socket Mode and works a run up to what it cannot do."""
    workspace = Workspace(cast.seed())
    await workspace.start()
    seed = workspace.core.seed
    slack = {
        "SLACK__BOT_TOKEN": seed.bot_token,
        "SLACK__APP_TOKEN": seed.app_token,
        "SLACK__BASE_URL": workspace.api_url,
        "OBSERVE_PORT": str(port := free_port()),
    }
    async with bot("run", environment={**environment, **slack}), Player(workspace.url, cast.STARTER) as dana:
        await workspace.wait_connected()
        assert (await dana.command("/migrate start")).ok
        filled = {"name": "Try", "purpose": "To see", "files": ["001.sql"], "minutes": "5"}
        assert (await dana.submit(await dana.wait_view(), filled)).ok
        await dana.wait_message(lambda found: "🚨 Database migration starting now" in found["text"])
        stuck = await dana.wait_message(lambda found: found["text"].startswith("❌"), timeout=120)
        assert "Create pre-migration backup" in stuck["text"]
        await _stands(f"http://127.0.0.1:{port}")
    await workspace.stop()


async def _stands(url: str) -> None:
    """Connected, working and ticking; what it has done is counted."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/readyz") as answer:
            assert {"process": "run", "status": "ready", "wrong": {}} == await answer.json()
        async with session.get(f"{url}/metrics") as answer:
            text = await answer.text()
    for counted in (
        'migrate_bot_calls_total{outcome="ok",system="Slack"}',
        'migrate_bot_steps_total{outcome="finished",step="announce_start"} 1.0',
        'migrate_bot_jobs_total{job="drive",outcome="done"}',
        'migrate_bot_runs{state="stuck"} 1.0',
        "migrate_bot_clock_sweep_timestamp_seconds",
    ):
        assert counted in text


async def test_signed_requests_are_answered_and_others_refused(environment: Mapping[str, str]) -> None:
    """HTTP mode: with the signing secret the command is answered; a workspace with another secret gets nowhere."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/slack/events"
    seed = replace(cast.seed(), request_url=url)
    honest, forger = Workspace(seed), Workspace(replace(seed, signing_secret="another"))
    await honest.start()
    await forger.start()
    slack = {
        "SLACK__BOT_TOKEN": seed.bot_token,
        "SLACK__SIGNING_SECRET": seed.signing_secret,
        "SLACK__BASE_URL": honest.api_url,
        "SLACK__HOST": "127.0.0.1",
        "SLACK__PORT": str(port),
    }
    async with (
        bot("web", environment={**environment, **slack}),
        Player(honest.url, cast.STARTER) as dana,
        Player(forger.url, cast.STARTER) as mallory,
    ):
        await _listening(port)
        assert (await dana.command("/migrate help")).ok
        assert not (await mallory.command("/migrate help")).ok
        assert any("/migrate start" in found["text"] for found in dana.ephemerals)
        assert [] == mallory.ephemerals
    await honest.stop()
    await forger.stop()


async def _listening(port: int) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
