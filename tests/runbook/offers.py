"""Everything that people, workers and the clock could say to a run in its present state, right and wrong."""

from collections.abc import Iterator
from typing import Any

from tests.runbook.cast import DESTRUCTIVE, DIGEST, EVERYBODY, OTHER, Core, person

Offer = tuple[Any, float]  # an intent, and the moment it arrives
TICK = 0.001  # what passes between two moves: nothing expires by it
SAMPLES = {
    "healthy": {"healthy": ("web",), "error_rate": 0.0, "failed_rate": 0.0, "p95_ms": 90.0},
    "alert": {"healthy": ("web",), "error_rate": 0.0, "failed_rate": 0.0, "p95_ms": 2000.0},
    "breach": {"healthy": ("web",), "error_rate": 0.5, "failed_rate": 0.0, "p95_ms": 90.0},
    "missing": {},
}


def offers(core: Core, run: Any, now: float) -> Iterator[Offer]:
    """Every intent worth trying, with its time; waiting past a time limit comes as ``None``."""
    soon = now + TICK
    for intent in (*_people(core, run), *_workers(core, run)):
        yield intent, soon
    yield from _clock(core, run, soon)
    if run.question is not None:
        yield None, run.question.expires_at + 1.0
    if run.grant is not None:
        yield None, run.grant.at + run.plan.timing.grant_life + 1.0


def _people(core: Core, run: Any) -> Iterator[Any]:
    i = core.i
    for name in EVERYBODY:
        who = person(core, name)
        yield i.PullCord(person=who, reason="wait")
        yield i.Resume(person=who)
        yield i.Retry(person=who)
        yield i.Abort(person=who, reason="no time")
        yield i.RollBack(person=who, reason="wrong data")
        yield i.TakeOver(person=who, note="by hand")
        if run.plan.window_end is not None:
            yield i.ExtendWindow(person=who, until=run.plan.window_end + 3600.0, reason="nearly there")
        yield i.Close(person=who, note="done by hand")
        yield from _answers(core, run, who)
    yield from _handing_over(core, run)
    yield from _fixing(core, run)
    yield from _tried(core, run)
    yield from _kept_up(core, run)
    anna = person(core, "anna")
    yield i.PullCord(person=anna, reason=" ")
    yield i.Abort(person=anna, reason="")
    yield i.RollBack(person=anna, reason="")
    yield i.TakeOver(person=anna, note="")
    yield i.Close(person=anna, note="")
    yield from _wrong_answers(core, run, anna)


def _fixing(core: Core, run: Any) -> Iterator[Any]:
    """What failed is mended in another way only in the plan that is there for it."""
    if run.plan.rollback_deadline is None:
        return
    for name in ("anna", "outsider", "guest"):
        for fix in core.fixes.Fix:
            yield core.i.Retry(person=person(core, name), fix=fix)


def _kept_up(core: Core, run: Any) -> Iterator[Any]:
    """What is found of the database beside the steps, and done about it, in the plan that is there for it."""
    if not run.plan.exercise:
        return
    for name in ("anna", "outsider"):
        yield core.i.AskAnalyze(person=person(core, name))
    yield core.i.Analyzed(lines=("ANALYZE cases: 0.1 s",))
    yield core.i.NoteDatabase(lines=("a replica lags",))


def _tried(core: Core, run: Any) -> Iterator[Any]:
    """What is tried by hand, by whom it was asked of, by an owner, and by others."""
    if not run.plan.manual:
        return
    for name, note in (("outsider", "a blank page"), ("owner", "a blank page"), ("guest", "x"), ("outsider", " ")):
        yield core.i.AnswerCheck(person=person(core, name), check="log in", works=False, note=note)
    for name in ("outsider", "leaver", "stranger"):
        yield core.i.AnswerCheck(person=person(core, name), check="log in", works=True)
    yield core.i.AnswerCheck(person=person(core, "owner"), check="nothing", works=True)
    yield core.i.AnswerCheck(person=core.people.Person(id="passer-by", name="Passer-by"), check="log in", works=True)


def _handing_over(core: Core, run: Any) -> Iterator[Any]:
    """A run changes hands once, in the plan that is there for it: more would tell the same story again."""
    if not run.plan.preparation:
        return
    for name in ("starter", "anna", "outsider", "guest"):
        who = person(core, name)
        yield core.i.AcceptHandover(person=who)
        for to in ("anna", "owner", "outsider", "guest") if not run.passed else ("outsider",):
            yield core.i.OfferHandover(person=who, to=person(core, to))
    yield core.i.AcceptHandover(person=person(core, "owner"))


def _answers(core: Core, run: Any, who: Any) -> Iterator[Any]:
    word = run.question.word or "" if run.question else ""
    yield core.i.Approve(person=who, number=run.asked, digest=DIGEST, word=word)
    yield core.i.Reject(person=who, number=run.asked, reason="not today")
    if run.question is not None and run.question.options:
        yield from _picks(core, run, who)
    for blocker in run.blockers:
        yield core.i.ApproveCancel(person=who, digest=blocker.digest)
        yield core.i.KeepWaiting(person=who, digest=blocker.digest)


def _picks(core: Core, run: Any, who: Any) -> Iterator[Any]:
    """Every rung, also those that cannot be gone, and one for a question that is closed."""
    for rung in core.rungs.Rung if _thorough(run) else (core.rungs.Rung.RESTORE,):
        yield core.i.PickRung(person=who, number=run.asked, rung=rung)
    yield core.i.PickRung(person=who, number=run.asked - 1, rung=core.rungs.Rung.RESTORE)


def rungs(core: Core, *, rows: int | None = 0, seconds: float = 1.0) -> tuple[Any, ...]:
    """The ladder as a worker found it: a standby copy that would lose so many rows, the backup, and the platform."""
    rung, option = core.rungs.Rung, core.rungs.Option
    return (
        option(rung=rung.NOTHING, possible=False, why="the migration is in"),
        option(rung=rung.SWITCH, possible=True, rows=rows, seconds=seconds),
        option(rung=rung.RESTORE, possible=True, rows=9, seconds=300.0),
        option(rung=rung.PLATFORM, possible=True, basis="by hand"),
    )


def _thorough(run: Any) -> bool:
    """All the choices of a way back are tried where a plan has something to say of it; elsewhere one will do."""
    plan = run.plan
    return bool(plan.auto_rollback or plan.standby != "none")


def _asks(core: Core, run: Any) -> Iterator[Any]:
    """What a worker may describe: a plain step, or a way back with its choices."""
    step = {"number": run.asked + 1, "digest": DIGEST, "inputs": (("file", "x"),), "lines": ("psql -f x",)}
    if run.step.asked_by is not core.steps.StepName.ANNOUNCE_ROLLBACK:
        yield core.i.Ask(**step)
        if run.step.name is core.steps.StepName.APPLY and run.plan.migrations == DESTRUCTIVE:
            yield core.i.Ask(**step, destroys=("destroys the table cases",), risk=core.run.Risk.HIGH)
            yield core.i.Ask(**step, risk=core.run.Risk.HIGH, dangers=("rewrites cases",))
        return
    rung = core.rungs.Rung
    wanted = run.rung_wanted or rung.SWITCH
    yield core.i.Ask(**step, rung=wanted, options=rungs(core))
    if run.breach is not None and (run.plan.auto_rollback or run.plan.envelope):
        yield core.i.Ask(**step, rung=wanted, options=rungs(core, rows=1000))
        yield core.i.Ask(**step, rung=wanted, options=rungs(core, rows=None))
        yield core.i.Ask(**step, rung=wanted, options=rungs(core, seconds=9999.0))
    if run.rung_wanted is None and _thorough(run):
        unchanged = core.rungs.Option(rung=rung.NOTHING, possible=True, rows=0, seconds=0.0)
        yield core.i.Ask(**step, rung=rung.NOTHING, options=(unchanged, *rungs(core)[1:]))


def _wrong_answers(core: Core, run: Any, who: Any) -> Iterator[Any]:
    i = core.i
    word = run.question.word or "" if run.question else ""
    yield i.Approve(person=who, number=run.asked - 1, digest=DIGEST, word=word)
    yield i.Approve(person=who, number=run.asked + 1, digest=DIGEST, word=word)
    yield i.Approve(person=who, number=run.asked, digest=OTHER, word=word)
    yield i.Approve(person=who, number=run.asked, digest=DIGEST, word="yes")
    yield i.Reject(person=who, number=run.asked - 1, reason="not today")
    yield i.Reject(person=who, number=run.asked, reason="")
    yield i.ApproveCancel(person=who, digest="nobody@never")
    yield i.KeepWaiting(person=who, digest="nobody@never")


def _workers(core: Core, run: Any) -> Iterator[Any]:
    i = core.i
    yield from _asks(core, run)
    for number in (run.asked, run.asked + 2):
        yield i.Ask(number=number, digest=DIGEST, inputs=(("file", "x"),), lines=("psql -f x",))
        yield i.CannotAsk(number=number, problem="no answer")
    yield i.CannotAsk(number=run.asked + 1, problem="no answer")
    for attempt in (run.attempt, run.attempt + 1, run.attempt + 2):
        yield i.Begin(attempt=attempt, digest=DIGEST)
    yield i.Begin(attempt=run.attempt + 1, digest=OTHER)
    yield i.Begin(attempt=run.attempt + 1, digest="")
    yield from _late_words(core, run)
    for claim in (run.claim or 0, -1):
        yield i.Finish(claim=claim, evidence=("seen",))
        if run.step.name is core.steps.StepName.VERIFY and run.plan.exercise:
            yield i.Finish(claim=claim, evidence=("seen",), facts=(("analyze", '["cases"]'),))
        yield i.Fail(claim=claim, problem="it broke")
        yield i.Pause(claim=claim)
        yield i.SeeBlockers(claim=claim, blockers=())
    if run.step.name in (core.steps.StepName.APPLY, core.steps.StepName.GO_BACK):
        for known in core.run.Database:
            yield i.Fail(claim=run.claim or 0, problem="it broke", database=known)
            sql_error = core.criteria.Criterion.SQL_ERROR
            yield i.Fail(claim=run.claim or 0, problem="it broke", database=known, criterion=sql_error)
    if run.step.name is core.steps.StepName.APPLY:
        yield from _with_proposals(core, run)
        yield i.SeeBlockers(claim=run.claim or 0, blockers=(blocker(core),))
        yield i.SeeBlockers(claim=run.claim or 0, blockers=(blocker(core, granted=True),))


def _with_proposals(core: Core, run: Any) -> Iterator[Any]:
    """A failure of which the step knows what may help, also one that opens the way back."""
    if run.plan.rollback_deadline is None:
        return
    untouched, fix = core.run.Database.UNTOUCHED, core.fixes.Fix
    for met, proposed in ((None, fix.LONGER), (core.criteria.Criterion.SQL_ERROR, fix.VALIDATE_LATER)):
        yield core.i.Fail(
            claim=run.claim or 0, problem="it broke", database=untouched, criterion=met, fixes=(proposed,)
        )


def _late_words(core: Core, run: Any) -> Iterator[Any]:
    """What a worker says that was frozen while the run went on: it still speaks of another step."""
    i, now, names = core.i, run.step.name, core.steps.StepName
    other = names.GO_BACK if now is not names.GO_BACK else names.STOP_SERVICES
    yield i.Begin(attempt=run.attempt + 1, digest=DIGEST, step=other)
    yield i.Begin(attempt=run.attempt + 1, digest=DIGEST, step=now)
    yield i.Ask(number=run.asked + 1, digest=DIGEST, inputs=(), lines=(), step=other)
    yield i.CannotAsk(number=run.asked + 1, problem="no answer", step=other)


def blocker(core: Core, *, granted: bool = False) -> Any:
    """A session that holds up the migration; a worker that says it is granted already must not be believed."""
    return core.run.Blocker(
        pid=7, started="noon", application="report", user="ana", age_seconds=60.0, query="SELECT", granted=granted
    )


def _clock(core: Core, run: Any, soon: float) -> Iterator[Offer]:
    i = core.i
    for timer in sorted(core.timers.timers(run)):
        when = max(soon, timer.due)
        yield i.Tick(kind=str(timer.kind), due=timer.due), when
        if timer.kind is core.timers.TimerKind.SAMPLE:
            for late in (0.0, 4 * run.plan.timing.sample_every):
                for measured in SAMPLES.values():
                    sample = core.samples.Sample(at=when + late, **measured)
                    yield i.TakeSample(due=timer.due, sample=sample), when + late
        if timer.kind is core.timers.TimerKind.BASELINE:
            for measured in (SAMPLES["healthy"], SAMPLES["missing"]):
                yield i.TakeBaseline(due=timer.due, sample=core.samples.Sample(at=when, **measured)), when
    for kind in core.timers.TimerKind:
        yield i.Tick(kind=str(kind), due=-1.0), soon
    yield i.TakeSample(due=-1.0, sample=core.samples.Sample(at=soon)), soon
    yield i.TakeBaseline(due=-1.0, sample=core.samples.Sample(at=soon)), soon
