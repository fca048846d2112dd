"""The child-process runner: streamed, redacted, killed as a group, and gone with its parent."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from integrations.process import Exit, Redactor, base_env, run_child

HERE = Path("/")


async def run(*argv: str, time_limit: float | None = 20, stdin: bytes | None = None) -> tuple[Exit, list[str]]:
    lines: list[str] = []
    ended = await run_child(argv, env=base_env(), cwd=HERE, on_line=lines.append, time_limit=time_limit, stdin=stdin)
    return ended, lines


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while not gone(pid):
        assert time.monotonic() < deadline, "the process is still there"
        await asyncio.sleep(0.02)


async def test_lines_and_code_come_back() -> None:
    """Each line of both streams is handed over in order, with the exit code."""
    ended, lines = await run(sys.executable, "-c", "import sys; print('a'); sys.stdout.flush(); sys.exit('b')")

    assert ["a", "b"] == lines
    assert (1, ("a", "b"), False) == (ended.code, ended.tail, ended.timed_out)


async def test_stdin_is_fed_and_closed() -> None:
    """What is given as input arrives whole, and then ends."""
    ended, lines = await run("cat", stdin=b"one\ntwo")

    assert ["one", "two"] == lines
    assert ended.ok


async def test_missing_program_says_so() -> None:
    """A program that is not there ends like any other failure, with words."""
    ended, _ = await run("/nonexistent/tool")

    assert 1 == ended.code
    assert ("/nonexistent/tool: No such file or directory",) == ended.tail


async def test_timeout_kills_the_group() -> None:
    """A time-out ends grandchildren too, and leaves no zombie."""
    ended, lines = await run("sh", "-c", "sleep 600 & echo $!; wait", time_limit=0.5)

    assert ended.timed_out
    await wait_gone(int(lines[0]))
    assert [] == [each for each in psutil.Process().children() if each.status() == psutil.STATUS_ZOMBIE]


async def test_cancellation_kills_the_child() -> None:
    """Cancelling the awaiting task ends the child before the cancellation is seen."""
    lines: list[str] = []
    task = asyncio.create_task(
        run_child(
            ["sh", "-c", "echo $$; exec sleep 600"], env=base_env(), cwd=HERE, on_line=lines.append, time_limit=None
        )
    )
    while not lines:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert gone(int(lines[0]))


async def test_child_dies_with_its_parent(tmp_path: Path) -> None:
    """kill -9 of the parent takes the child with it."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, pathlib\n"
        "from integrations.process import base_env, run_child\n"
        "asyncio.run(run_child(['sh', '-c', 'echo $$; exec sleep 600'], env=base_env(), cwd=pathlib.Path('/'),\n"
        "    on_line=lambda line: print(line, flush=True), time_limit=None))\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.communicate()

    await wait_gone(child)


async def test_secrets_are_masked() -> None:
    """Given secrets, connection strings and password settings are masked wherever they stand."""
    mask = Redactor(["s3cret"])

    assert "it is *** or postgres://*** or PGPASSWORD=*** or password=***" == mask(
        "it is s3cret or postgres://u:p@h/d or PGPASSWORD=x or password='a b'"
    )


async def test_environment_secrets_are_masked_in_output() -> None:
    """A child that prints its password prints stars, to us and in the tail."""
    lines: list[str] = []
    env = base_env() | {"PGPASSWORD": "hunter2"}
    ended = await run_child(
        ["sh", "-c", "echo got $PGPASSWORD"], env=env, cwd=HERE, on_line=lines.append, time_limit=10
    )

    assert ["got ***"] == lines
    assert ("got ***",) == ended.tail


def test_base_env_has_no_tokens() -> None:
    """Children never see the bot's own settings."""
    assert {"PATH": "/bin"} == base_env({"PATH": "/bin", "SLACK__BOT_TOKEN": "x", "DATABASE_URL": "y"})
