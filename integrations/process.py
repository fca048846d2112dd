"""Child processes: argument lists only, streamed line by line, redacted, and never left behind.

A child runs in its own process group, is killed with that group on time-out and cancellation, and on Linux dies
with this process however that ends.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 200
LONGEST_LINE = 65536
_KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PATTERNS = (
    (re.compile(r"(?i)\b(postgres(?:ql)?://)[^\s'\"]+"), r"\1***"),
    (re.compile(r"(?i)\b(PGPASSWORD|PGPASSFILE|PGSSLPASSWORD)=\S+"), r"\1=***"),
    (re.compile(r"(?i)\b(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)"), r"\1***"),
)
# A preexec_fn would be unsafe beside threads, so a fresh interpreter asks for the signal and becomes the command.
# 1 is PR_SET_PDEATHSIG (prctl(2)); the second look closes the gap before the request.
_LEASH = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""


class Redactor:
    """Masks given secrets, postgres:// URLs and password settings in text that people may see."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({each for each in secrets if each}, key=len, reverse=True)

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Redactor":
        """One that knows the secrets of an environment, by the names of its variables."""
        return cls(value for name, value in env.items() if re.search(r"PASSWORD|SECRET|TOKEN|_KEY$|DATABASE_URL", name))

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        for pattern, mask in _PATTERNS:
            text = pattern.sub(mask, text)
        return text


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a child ended: its code (negative: killed by that signal), seconds, and its last redacted lines."""

    code: int
    seconds: float
    tail: tuple[str, ...] = ()
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out


def base_env(source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The few variables any child may see; tokens and connection strings of ours are not among them."""
    return {name: source[name] for name in _KEPT if name in source}


async def run_child(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    on_line: Callable[[str], None],
    time_limit: float | None,
    stdin: bytes | None = None,
    redactor: Redactor | None = None,
) -> Exit:
    """Run ``argv`` to its end; ``on_line`` gets each line of stdout and stderr, redacted.

    ``env`` is the whole environment; a program not found ends with code 1 and says so. After ``time_limit`` seconds,
    or when the awaiting task is cancelled, the whole process group is killed and reaped. New files are private (0600).
    """
    began = time.monotonic()
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    mask = redactor or Redactor.of(env)
    child = await _spawn(argv, env=env, cwd=cwd, stdin=stdin)
    timed_out = False

    def take(line: str) -> None:
        tail.append(mask(line))
        on_line(tail[-1])

    try:
        async with asyncio.timeout(time_limit):
            await asyncio.gather(_feed(child, stdin), _read(child, take))
            await child.wait()
    except TimeoutError:
        timed_out = True
    finally:
        await _end(child)
    code = child.returncode if child.returncode is not None else -int(signal.SIGKILL)
    return Exit(code=code, seconds=time.monotonic() - began, tail=tuple(tail), timed_out=timed_out)


async def _spawn(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdin: bytes | None
) -> asyncio.subprocess.Process:
    wrapped = [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), *argv]
    return await asyncio.create_subprocess_exec(
        *wrapped,
        env=dict(env), cwd=cwd, umask=0o077, start_new_session=True,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


async def _feed(child: asyncio.subprocess.Process, data: bytes | None) -> None:
    if child.stdin is None or data is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended without reading everything
        child.stdin.write(data)
        await child.stdin.drain()
    child.stdin.close()


async def _read(child: asyncio.subprocess.Process, take: Callable[[str], None]) -> None:
    rest = b""
    while child.stdout and (chunk := await child.stdout.read(8192)):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        for line in lines:
            take(line.decode(errors="replace").rstrip("\r"))
    if rest:
        take(rest.decode(errors="replace"))


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kill whatever is left of the group, then reap; a second cancellation cannot leave a zombie."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
        os.killpg(child.pid, signal.SIGKILL)
    reaping = asyncio.ensure_future(child.wait())
    try:
        await asyncio.shield(reaping)
    except asyncio.CancelledError:
        await reaping
        raise
