"""A run told step by step: real decisions and events of the core."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.ports import Letter
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook.apply import apply, begin
from bot.runbook.criteria import Criterion
from bot.runbook.decide import decide
from bot.runbook.people import Person, Policy
from bot.runbook.run import Blocker, Database, Plan, Run, State
from bot.runbook.rungs import Option, Rung
from bot.runbook.samples import Sample
from bot.runbook.steps import Route, StepName
from bot.runbook.timers import TimerKind, timers
from bot.views.letters import letters, needs_record
from bot.views.timeline import Record

T0 = 1_795_000_000.0
ANA = Person(id="U0ANA", name="Ana", groups=frozenset({"S0DBA"}))
BEN = Person(id="U0BEN", name="Ben", groups=frozenset({"S0DBA"}))
EVA = Person(id="U0EVA", name="Eva")
PASSER_BY = Person(id="U0PASS", name="Passer-by")  # a member without a part in it
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


def ladder(words: str) -> tuple[Option, ...]:
    """Every way back as a worker may find it, with what programs say in ``words``."""
    return (
        Option(rung=Rung.NOTHING, possible=False, why=f"the migration is in; {words}"),
        Option(rung=Rung.DOWN, possible=False, why="no DOWN script was given"),
        Option(
            rung=Rung.SWITCH,
            possible=True,
            seconds=1.2,
            basis=f"measured: {words}",
            rows=12,
            loses=f"12 rows of {words}",
        ),
        Option(rung=Rung.RESTORE, possible=True, seconds=400.0, basis="measured by the standby copy", rows=40),
        Option(rung=Rung.PLATFORM, possible=True, basis=f"1. Open the console.\n2. Restore to 12:04. {words * 3}"),
    )


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
    ladder: tuple[Option, ...] = ()  # of every way back that is asked for
    rung: Rung = Rung.SWITCH  # which of it the worker recommends
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
        back = self.run.route is Route.ROLLBACK and bool(self.ladder)
        return self.say(
            i.Ask(
                number=self.run.asked + 1,
                digest=digest,
                inputs=(("file", digest),),
                lines=self.lines,
                diff=diff,
                undo=f"it is undone, and {self.words}",
                texts=((self.words[:200], f"{self.words}\n" * 40),) if self.run.step.name == "apply" else (),
                no_return=f"undone by the switch in 2 s; {self.words}" if self.run.step.name == "apply" else "",
                rung=(self.run.rung_wanted or self.rung) if back else None,
                options=self.ladder if back else (),
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
        return self.say(i.Finish(claim=self.run.claim, evidence=self.evidence, facts=self._facts()))

    def _facts(self) -> tuple[tuple[str, str], ...]:
        """What later words are made of."""
        copy, failed = f"{self.plan.database}_standby", f"{self.plan.database}_failed"
        kept = (("failed_database", failed), ("salvage", f"/backups/{self.words[:200]}"))
        rung = self.run.way.rung if self.run.way else Rung.RESTORE
        return {
            StepName.STANDBY: (("standby_database", copy),),
            StepName.GO_BACK: (("rung", rung), *(() if rung is Rung.NOTHING else kept)),
        }.get(self.run.step.name, ())

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

    def fail(self, database: Database | None = None, criterion: Criterion | None = None) -> "Script":
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
                criterion=criterion,
            )
        )

    def pick(self, rung: Rung, person: Person = ANA) -> "Script":
        """Another way back than the one that is asked for."""
        assert self.run.question is not None
        return self.say(i.PickRung(person=person, number=self.run.question.number, rung=rung))

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

    def record(self, page: Page) -> Record:
        """What the store has of the run right after ``page``."""
        told = self.pages[: self.pages.index(page) + 1]
        return Record(events=tuple(each.event for each in told), logs=self.lines)

    def letters(self, page: Page, **more: str) -> tuple[Letter, ...]:
        """The messages of one page, as the engine has them made."""
        record = self.record(page) if needs_record(page.event) else Record()
        return letters(page.before, page.after, page.event, record=record, **more)


def given_to(s: Script) -> dict[str, object]:
    return {name: getattr(s, name) for name in ("plan", "run_id", "pace", "evidence", "lines", "words", "approvers")}
