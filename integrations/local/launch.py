"""Becomes a service: ``python launch.py RECORD LOG FOLDER RELEASE COMMAND...`` (a script, run by the platform).

The detached child writes its own pid and start time *before* it turns into the service, so there is no moment at
which a service runs that nobody could find again.  The script ends as soon as the command runs, or says why not.
"""

import json
import os
import signal
import sys
from pathlib import Path

import psutil


def main(record: str, log: str, folder: str, release: str, *command: str) -> int:
    """Exit code 0: the command runs, detached.  1: it could not be started, the reason is on stderr."""
    reading, writing = os.pipe()  # closes by itself when the command begins (PEP 446: not inheritable)
    if os.fork() == 0:
        _become(Path(record), log, folder, release, command, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        problem = pipe.read()
    sys.stderr.write(problem)
    return 1 if problem else 0


def _become(record: Path, log: str, folder: str, release: str, command: tuple[str, ...], writing: int) -> None:
    try:
        os.setsid()
        _redirect(log)
        os.chdir(folder)
        _remember(record, {"release": release, "command": command, "folder": folder})
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and ignoring is inherited
        os.execvp(command[0], command)  # noqa: S606 - an argument list; no shell is wanted here
    except OSError as error:
        record.unlink(missing_ok=True)
        os.write(writing, f"{error.strerror}: {error.filename or command[0]}".encode())
    os._exit(1)


def _redirect(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, number in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, number)


def _remember(record: Path, started_with: dict[str, str | tuple[str, ...]]) -> None:
    """A whole record or none: written aside, then renamed."""
    me = psutil.Process()
    aside = record.with_suffix(f".{me.pid}")
    aside.write_text(json.dumps({"pid": me.pid, "created": me.create_time(), **started_with}), encoding="utf-8")
    aside.replace(record)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
