"""Runs told as scripts: real decisions and events of the core, for whoever needs a run in some state."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook.apply import apply, begin
from bot.runbook.decide import decide
from bot.runbook.people import Person, Policy
from bot.runbook.run import Blocker, Database, Plan, Run, State
from bot.runbook.samples import Sample
from bot.runbook.timers import TimerKind, timers

T0 = 1_795_000_000.0
ANA = Person(id="U0ANA", name="Ana", groups=frozenset({"S0DBA"}))
BEN = Person(id="U0BEN", name="Ben", groups=frozenset({"S0DBA"}))
EVA = Person(id="U0EVA", name="Eva")
POLICY = Policy(
    approvers=frozenset({"S0DBA"}), owners=frozenset({"U0ANA", "U0EVA"}), on_call=frozenset({"U0BEN"}), quorum=2
)
PLAN = Plan(
    target="casework",
    database="casework_prod",
    name="add case priority",
    purpose="Cases get a priority",
    migrations=("001_add_case_priority.sql",),
    starter="U0EVA",
    starter_name="Eva",
    channel="C0ENG",
    policy=POLICY,
    services=("web", "gateway"),
)
EVIDENCE = ("Backup: 12.3 MB in 47 files", "Restored into the standby copy in 21 s", "Every checksum matches")
LINES = ("psql -X -v ON_ERROR_STOP=1 -f 001_add_case_priority.sql", "on casework_prod as casework_owner")


def good(at: float) -> Sample:
    """Everything within the runbook's numbers."""
    return Sample(
        at=at, healthy=("web", "gateway"), error_rate=0.001, failed_rate=0.0, p95_ms=210.0, pool=0.4, latency_ms=9.0
    )


def slow(at: float) -> Sample:
    """Slow enough to look at."""
    return replace(good(at), p95_ms=1800.0)


def broken(at: float) -> Sample:
    """Over the runbook's threshold for a rollback."""
    return replace(good(at), error_rate=0.4, unhealthy=("web",))


@dataclass(frozen=True, kw_only=True)
class Page:
    """One event of a script with the run before and after it."""

    before: Run | None
    after: Run
    event: e.Event
    last: bool = True  # of its intent: where the run rests, and not in between


@dataclass(kw_only=True)
class Script:
    """A run that is told step by step; every intent takes ``pace`` seconds."""

    plan: Plan = PLAN
    run_id: str = "run-7f3a"
    pace: float = 60.0
    evidence: tuple[str, ...] = EVIDENCE
    lines: tuple[str, ...] = LINES
    words: str = "the disk is full"
    approvers: tuple[Person, ...] = (ANA, BEN)
    now: float = T0
    pages: list[Page] = field(default_factory=list)

    def __post_init__(self) -> None:
        started = e.Started(plan=self.plan, at=self.now)
        self.pages.append(Page(before=None, after=begin(self.run_id, started), event=started))

    @property
    def run(self) -> Run:
        return self.pages[-1].after

    def say(self, intent: i.Intent) -> "Script":
        """Decide and apply one intent."""
        self.now += self.pace
        events = decide(self.run, intent, self.now)
        for event in events:
            page = Page(before=self.run, after=apply(self.run, event), event=event, last=event is events[-1])
            self.pages.append(page)
        return self

    def tick(self, kind: TimerKind) -> "Script":
        """Let the timer of that kind fire."""
        due = next(timer.due for timer in sorted(timers(self.run)) if timer.kind is kind)
        self.now = max(self.now, due - self.pace)
        return self.say(i.Tick(kind=kind, due=due))

    def ask(self, diff: tuple[str, ...] = ()) -> "Script":
        digest = f"{self.run.asked + 1:064x}"[::-1]
        return self.say(
            i.Ask(
                number=self.run.asked + 1,
                digest=digest,
                inputs=(("file", digest),),
                lines=self.lines,
                diff=diff,
                undo=f"it is undone, and {self.words}",
                texts=((self.words[:200], f"{self.words}\n" * 40),) if self.run.step.name == "apply" else (),
            )
        )

    def approve(self, person: Person = ANA) -> "Script":
        asked = self.run.question
        assert asked is not None
        return self.say(
            i.Approve(person=person, number=asked.number, digest=asked.digest, word=asked.word or "", via="slack")
        )

    def reject(self, person: Person = ANA) -> "Script":
        assert self.run.question is not None
        return self.say(i.Reject(person=person, number=self.run.question.number, reason=self.words))

    def start_step(self) -> "Script":
        """Up to the moment the present step runs."""
        if self.run.state is State.PREPARING:
            self.ask()
        if self.run.state is State.ASKING:
            for person in self.approvers[: self.plan.policy.quorum]:
                self.approve(person)
        digest = self.run.grant.digest if self.run.step.destructive and self.run.grant else ""
        return self.say(i.Begin(attempt=self.run.attempt + 1, digest=digest))

    def finish_step(self) -> "Script":
        """Up to the end of the present step."""
        if self.run.state is State.WATCHING:
            return self.watch()
        if self.run.claim is None:
            self.start_step()
        assert self.run.claim is not None
        return self.say(i.Finish(claim=self.run.claim, evidence=self.evidence))

    def watch(self, sample: Callable[[float], Sample] = good) -> "Script":
        """Take samples until the watch ends one way or the other."""
        while self.run.state is State.WATCHING:
            self.sample(sample)
        return self

    def sample(self, sample: Callable[[float], Sample] = good) -> "Script":
        due = next(timer.due for timer in timers(self.run) if timer.kind is TimerKind.SAMPLE)
        self.now = due - self.pace
        return self.say(i.TakeSample(due=due, sample=sample(due)))

    def until(self, step: str) -> "Script":
        """Finish steps until the run stands before ``step``."""
        while self.run.step.name != step:
            self.finish_step()
        return self

    def fail(self, database: Database | None = None) -> "Script":
        if self.run.claim is None:
            self.start_step()
        assert self.run.claim is not None
        return self.say(
            i.Fail(
                claim=self.run.claim,
                problem=f"psql stopped: {self.words}",
                advice=f"Look at this: {self.words}",
                reference="ref-81c2",
                database=database,
            )
        )

    def blocked(self, count: int = 2, query: str = "UPDATE cases SET title = $1") -> "Script":
        """Sessions keep the running step waiting."""
        if self.run.claim is None:
            self.start_step()
        assert self.run.claim is not None
        found = tuple(
            Blocker(
                pid=4100 + each,
                started="2026-11-22 14:00:0" + str(each),
                application="casework-web",
                user="app",
                age_seconds=95.0,
                query=query,
            )
            for each in range(count)
        )
        return self.say(i.SeeBlockers(claim=self.run.claim, blockers=found))

    def end(self) -> "Script":
        """Finish whatever is left of the route."""
        while not self.run.final:
            self.finish_step()
        return self


def scripts(**given: object) -> Iterator[tuple[str, Script]]:
    """Every way a run can go that people see, by name."""
    for name, tell in STORIES.items():
        yield name, tell(Script(**given))  # type: ignore[arg-type]


def _happy(s: Script) -> Script:
    return s.tick(TimerKind.STATUS).end()


def _zero_downtime(s: Script) -> Script:
    return Script(**{**_given(s), "plan": replace(s.plan, downtime=False)}).end()


def _high_risk(s: Script) -> Script:
    return Script(**{**_given(s), "plan": replace(s.plan, risk="high")}).until("apply").ask()


def _declined(s: Script) -> Script:
    return s.until("backup").ask().approve().reject(BEN).end()


def _reminded(s: Script) -> Script:
    s.until("backup").ask().approve()
    for _ in range(3):
        s.tick(TimerKind.REMIND)
    return s.tick(TimerKind.STATUS).tick(TimerKind.EXPIRE).ask(diff=("file: 1a → 2b", s.words))


def _failing(s: Script) -> Script:
    s.until("apply").fail(Database.UNTOUCHED).tick(TimerKind.NUDGE).say(i.Retry(person=ANA))
    s.fail(Database.UNTOUCHED).say(i.Abort(person=ANA, reason=s.words))
    return s.end()


def _held(s: Script) -> Script:
    s.until("backup").start_step().say(i.PullCord(person=ANA, reason=s.words)).finish_step()
    s.tick(TimerKind.NUDGE).tick(TimerKind.STATUS).say(i.Resume(person=EVA)).ask()
    return s.say(i.PullCord(person=BEN, reason=s.words)).say(i.Resume(person=EVA)).end()


def _handed_over(s: Script) -> Script:
    s.until("verify").fail(Database.CHANGED).say(i.TakeOver(person=ANA, note=s.words))
    return s.tick(TimerKind.NUDGE).say(i.Close(person=ANA, note=s.words)).end()


def _withdrawn(s: Script) -> Script:
    s.until("stop_services").ask().approve().say(i.TakeOver(person=ANA, note=s.words)).say(i.Resume(person=ANA))
    return s.ask().say(i.Abort(person=ANA, reason=s.words)).end()


def _blocked(s: Script) -> Script:
    s.until("apply").blocked(query=f"SELECT {s.words}")
    first, second = s.run.blockers
    s.say(i.KeepWaiting(person=BEN, digest=second.digest))
    for person in s.approvers[: s.plan.policy.quorum]:
        s.say(i.ApproveCancel(person=person, digest=first.digest))
    assert s.run.claim is not None
    s.say(i.SeeBlockers(claim=s.run.claim, blockers=(second,))).tick(TimerKind.STATUS)
    return s.say(i.SeeBlockers(claim=s.run.claim, blockers=())).end()


def _rollback(s: Script) -> Script:
    s.until("verify").fail(Database.CHANGED).say(i.RollBack(person=ANA, reason=s.words))
    return s.tick(TimerKind.STATUS).end()


def _rollback_declined(s: Script) -> Script:
    return s.until("stop_services").say(i.RollBack(person=ANA, reason=s.words)).ask().reject()


def _rollback_while_running(s: Script) -> Script:
    return s.until("apply").start_step().say(i.RollBack(person=ANA, reason=s.words)).finish_step().fail()


def _alert(s: Script) -> Script:
    s.until("monitor").sample(slow).sample(good).tick(TimerKind.STATUS)
    return s.watch(broken)


def _no_longer_describable(s: Script) -> Script:
    s.until("apply")
    return s.say(i.CannotAsk(number=s.run.asked + 1, problem=s.words, advice=s.words, reference="ref-1"))


def _given(s: Script) -> dict[str, object]:
    return {name: getattr(s, name) for name in ("plan", "run_id", "pace", "evidence", "lines", "words", "approvers")}


STORIES: dict[str, Callable[[Script], Script]] = {
    "happy": _happy,
    "zero downtime": _zero_downtime,
    "high risk": _high_risk,
    "declined": _declined,
    "reminded": _reminded,
    "failing": _failing,
    "held": _held,
    "handed over": _handed_over,
    "withdrawn": _withdrawn,
    "blocked": _blocked,
    "rollback": _rollback,
    "rollback declined": _rollback_declined,
    "rollback while running": _rollback_while_running,
    "alert": _alert,
    "cannot describe": _no_longer_describable,
}
