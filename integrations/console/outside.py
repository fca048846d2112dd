"""Console twins of the status page, the pager and the post office: they print what the real ones would be told.

Each keeps what it has said while the process lives: a repeated notice prints nothing.
"""

import sys
from typing import TextIO

from bot.outside import Alarm, AlarmOver, Change, Mail, Maintenance, Notice, OnCall, Phase, Quiet, QuietOver
from bot.runbook.wording import utc


class _Printer:
    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        self._name = name
        self._stream = stream
        self._said: set[str] = set()

    def say(self, notice: Notice, words: str) -> None:
        if notice.key in self._said:
            return
        self._said.add(notice.key)
        for line in words.splitlines():
            print(f"[{self._name}] {line}", file=self._stream or sys.stdout, flush=True)


class ConsoleStatusPage:
    """``StatusPage`` that prints."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._printer = _Printer("status page", stream)
        self._open: set[str] = set()

    async def show(self, notice: Notice, update: Maintenance) -> None:
        """One line for the state, then the words."""
        if update.phase is Phase.COMPLETED and notice.run_id not in self._open:
            return
        self._open.add(notice.run_id)
        condition = f", services {update.condition}" if update.condition else ""
        self._printer.say(notice, f"{update.title}: {update.phase}{condition}\n{update.words}")


class ConsolePager:
    """``Pager`` that prints."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._printer = _Printer("pager", stream)

    async def on_call(self) -> tuple[OnCall, ...]:
        """Whoever reads the console."""
        return (OnCall(name="whoever reads this console"),)

    async def alarm(self, notice: Notice, alarm: Alarm) -> None:
        """Print it."""
        self._printer.say(notice, f"ALARM {alarm.alert}: {alarm.summary}")

    async def over(self, notice: Notice, over: AlarmOver) -> None:
        """Print it."""
        self._printer.say(notice, f"over: {over.alert}")

    async def changed(self, notice: Notice, change: Change) -> None:
        """Print it."""
        self._printer.say(notice, f"change: {change.summary}")

    async def quiet(self, notice: Notice, quiet: Quiet) -> None:
        """Print it."""
        self._printer.say(notice, f"quiet until {utc(quiet.ends)}: {quiet.reason}")

    async def loud(self, notice: Notice, over: QuietOver) -> None:
        """Print it."""
        self._printer.say(notice, "the affected services raise alarms again")


class ConsolePostOffice:
    """``PostOffice`` that prints."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._printer = _Printer("mail", stream)

    async def send(self, notice: Notice, mail: Mail) -> tuple[str, ...]:
        """Subject, audience, text; nobody is refused."""
        self._printer.say(notice, f"to {', '.join(mail.audience)}: {mail.subject}\n{mail.text}")
        return ()
