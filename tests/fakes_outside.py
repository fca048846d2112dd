"""Small real stand-ins for the status page, the pager and the post office, held to the same contract as the real ones.

``faults`` are taken one per call: ``drop_after`` (done, the answer is lost), ``drop_before`` (not done, unclear),
``refused`` (not done, and said why).
"""

from bot.outside import Alarm, AlarmOver, Change, Mail, Maintenance, Notice, OnCall, Outside, Phase, Quiet, QuietOver
from bot.ports import StepError, Unclear

REFUSED = StepError("The component c-1 is unknown", "Check the component's id in the targets file.")


class _Faulty:
    def __init__(self) -> None:
        self.faults: list[str] = []

    def _before(self) -> str:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "drop_before":
            raise Unclear(fault)
        if fault == "refused":
            raise REFUSED
        return fault

    @staticmethod
    def _after(fault: str) -> None:
        if fault == "drop_after":
            raise Unclear(fault)


class FakeStatusPage(_Faulty):
    """``shown``: what was said of each run, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, dict[str, Maintenance]] = {}

    async def show(self, notice: Notice, update: Maintenance) -> None:
        fault = self._before()
        if update.phase is not Phase.COMPLETED or notice.run_id in self.shown:
            self.shown.setdefault(notice.run_id, {}).setdefault(notice.key, update)
        self._after(fault)


class FakePager(_Faulty):
    """``open``: alarms that call somebody now; ``calls``: every time somebody was called."""

    def __init__(self) -> None:
        super().__init__()
        self.open: set[str] = set()
        self.calls: list[str] = []
        self.changes: dict[str, str] = {}
        self.quiets: dict[str, Quiet] = {}
        self.people: tuple[OnCall, ...] = (OnCall(name="Noor", until=1_800_000_000.0),)

    async def on_call(self) -> tuple[OnCall, ...]:
        self._after(self._before())
        return self.people

    async def alarm(self, notice: Notice, alarm: Alarm) -> None:
        fault = self._before()
        if alarm.alert not in self.open:
            self.open.add(alarm.alert)
            self.calls.append(alarm.alert)
        self._after(fault)

    async def over(self, notice: Notice, over: AlarmOver) -> None:
        fault = self._before()
        self.open.discard(over.alert)
        self._after(fault)

    async def changed(self, notice: Notice, change: Change) -> None:
        fault = self._before()
        self.changes[notice.key] = change.summary
        self._after(fault)

    async def quiet(self, notice: Notice, quiet: Quiet) -> None:
        fault = self._before()
        self.quiets[notice.run_id] = quiet
        self._after(fault)

    async def loud(self, notice: Notice, over: QuietOver) -> None:
        fault = self._before()
        self.quiets.pop(notice.run_id, None)
        self._after(fault)


class FakePostOffice(_Faulty):
    """``mails``: what lies in the mailboxes, by notice."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: dict[str, Mail] = {}
        self.refused: tuple[str, ...] = ()

    async def send(self, notice: Notice, mail: Mail) -> tuple[str, ...]:
        fault = self._before()
        self.mails[notice.key] = mail
        self._after(fault)
        return self.refused


class FakeOutside:
    """All three of a target."""

    def __init__(self) -> None:
        self.page, self.pager, self.post = FakeStatusPage(), FakePager(), FakePostOffice()

    @property
    def ports(self) -> Outside:
        return Outside(status_page=self.page, pager=self.pager, mail=self.post)
