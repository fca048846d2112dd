"""Run a command that ends when the process that started it ends (Linux); run as a script, never imported.

Usage: ``python -I -S leash.py PARENT_PID UID:GID|- COMMAND [ARG ...]``. A ``preexec_fn`` would do the same
but is unsafe in a program with threads, so a fresh interpreter does it and then becomes the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; see prctl(2)


def drop_to(account: str) -> None:
    """Become ``UID:GID`` for good; ``-`` stays who we are."""
    if account == "-":
        return
    uid, gid = (int(part) for part in account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def end_with(parent: int) -> None:
    """Ask the kernel for SIGINT (PostgreSQL's fast shutdown) once ``parent`` is gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it ended before we could ask
        sys.exit(1)


def main() -> None:
    """Drop privileges first: changing the user clears the parent-death signal."""
    parent, account, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    drop_to(account)
    if sys.platform == "linux":
        end_with(parent)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - an argument list, no shell


if __name__ == "__main__":
    main()
