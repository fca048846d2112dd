"""Which operating-system user runs the embedded server, and whether that user can reach its files.

PostgreSQL refuses to run as root, so a root process starts it as ``nobody``; anybody else starts it as themselves.
"""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.demo.errors import NoServerAccount, Unreachable


@dataclass(frozen=True, kw_only=True)
class Account:
    """The server's user; ``switch`` is false when it is the user we already are."""

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def argument(self) -> str:
        """As ``leash.py`` takes it."""
        return f"{self.uid}:{self.gid}" if self.switch else "-"

    @property
    def popen(self) -> dict[str, Any]:
        """Keyword arguments for ``subprocess`` that start a child as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def own(self, path: Path, mode: int) -> None:
        """Give ``path`` to this user with exactly ``mode``."""
        path.chmod(mode)
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def blocker(self, path: Path) -> Path | None:
        """The topmost existing folder above ``path`` this user cannot pass, or None."""
        if not self.switch:
            return None
        above = reversed(path.resolve().parents)
        return next((p for p in above if p.exists() and not self._passes(p.stat())), None)

    def require_reach(self, path: Path) -> None:
        """Raise ``Unreachable`` when this user cannot get to ``path``."""
        if blocker := self.blocker(path):
            raise Unreachable(path, blocker, self.name)

    def _passes(self, info: os.stat_result) -> bool:
        if info.st_uid == self.uid:
            return bool(info.st_mode & stat.S_IXUSR)
        if info.st_gid == self.gid:
            return bool(info.st_mode & stat.S_IXGRP)
        return bool(info.st_mode & stat.S_IXOTH)


def server_account() -> Account:
    """``nobody`` for root (initdb needs a real passwd entry), otherwise ourselves."""
    if os.geteuid() != 0:
        return Account(name=f"uid {os.geteuid()}", uid=os.geteuid(), gid=os.getegid(), switch=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoServerAccount from None
    return Account(name="nobody", uid=nobody.pw_uid, gid=nobody.pw_gid, switch=True)


def reachable_binaries(installed: Path, home: Path, account: Account) -> Path:
    """The ``bin`` folder the server's user can run: the installed one, or a copy of its tree in ``home``.

    A virtual environment under ``/root`` is closed to ``nobody``; 42 MB are then copied once.
    """
    if account.blocker(installed / "postgres") is None:
        return installed
    account.require_reach(home / "pginstall")
    copy = home / "pginstall"
    if not copy.exists():
        partial = home / "pginstall.new"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(installed.parent, partial, symlinks=True)
        partial.rename(copy)
    return copy / "bin"
