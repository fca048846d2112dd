"""``decide(run, intent, now) -> events``: the whole judgement of the bot.

Nothing is done here; a refusal is raised, or the events say what is now true.  This file holds what workers and the
clock may say; what people may say is judged in ``decide_people``.
"""

from dataclasses import replace

from bot.runbook import authority, hand_over, upkeep
from bot.runbook import decide_people as people
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.baseline import baseline_of
from bot.runbook.criteria import judge, settled, undecided
from bot.runbook.manual import Moment
from bot.runbook.paths import goes_back_now, opens_way_back, out_of_time, pause, proceed
from bot.runbook.risk import Risk, highest
from bot.runbook.run import Blocker, Hold, Licence, Question, Run, State
from bot.runbook.rungs import Rung
from bot.runbook.samples import Judgement
from bot.runbook.steps import StepName
from bot.runbook.timers import Timer, TimerKind, timers
from bot.runbook.tried import answer, asked_now, broken, findings, unanswered
from bot.runbook.window import too_late

Events = tuple[e.Event, ...]


def decide(run: Run, intent: i.Intent, now: float) -> Events:
    """What ``intent`` makes happen to ``run`` at ``now`` (POSIX seconds); raises a ``Refusal`` otherwise."""
    if run.final:
        raise r.AlreadyFinal(f"This run has already ended ({run.state}).", "Type /migrate start to begin another.")
    match intent:
        case i.Ask():
            return _ask(run, intent, now)
        case i.CannotAsk():
            return _cannot_ask(run, intent, now)
        case i.Begin():
            return _begin(run, intent, now)
        case i.Finish() | i.Fail() | i.Pause() | i.SeeBlockers():
            _holds_claim(run, intent.claim)
            return _under_claim(run, intent, now)
        case i.TakeSample():
            return _take_sample(run, intent)
        case i.TakeBaseline():
            return _take_baseline(run, intent)
        case i.Tick():
            return _tick(run, intent, now)
        case i.OfferHandover() | i.AcceptHandover():
            return hand_over.decide(run, intent, now)
        case i.AnswerCheck():
            return answer(run, intent, now)
        case i.NoteDatabase() | i.AskAnalyze() | i.Analyzed():
            return upkeep.decide(run, intent, now)
        case _:
            return people.decide(run, intent, now)


def _under_claim(run: Run, intent: i.Finish | i.Fail | i.Pause | i.SeeBlockers, now: float) -> Events:
    """What the worker that holds the step says of it."""
    match intent:
        case i.Finish():
            return _finish(run, intent, now)
        case i.Fail():
            return _fail(run, intent, now)
        case i.Pause():
            return _pause(run, now)
        case i.SeeBlockers():
            return _see_blockers(run, intent, now)


def _ask(run: Run, intent: i.Ask, now: float) -> Events:
    _awaits_question(run, intent)
    if late := too_late(run, now):
        return pause(run, out_of_time(late, now), now)
    step, quorum = run.step, run.plan.policy.quorum + bool(intent.destroys)
    if intent.destroys and authority.out_of_reach(run.plan.policy, run.hands, quorum):
        return _never_enough(run, quorum, now)
    question = Question(
        number=intent.number,
        step=step.asked_by or step.name,
        digest=intent.digest,
        inputs=intent.inputs,
        lines=intent.lines,
        asked_at=now,
        expires_at=now + run.plan.timing.question_life,
        diff=intent.diff,
        undo=intent.undo,
        texts=intent.texts,
        word=run.plan.database if _grave(run, intent) else None,
        no_return=intent.no_return,
        rung=intent.rung,
        options=intent.options,
        quorum=quorum,
        destroys=intent.destroys,
        risk=intent.risk,
        dangers=intent.dangers,
    )
    return (e.Asked(question=question, at=now), *_without_asking(run, question, now))


def _never_enough(run: Run, quorum: int, now: float) -> Events:
    """A question that nobody could ever answer is not asked: people are told instead, and asked what now."""
    problem = f"It destroys data, so it needs {quorum} approvals, and fewer people than that may give one."
    advice = "Abort the run, add an approver to the target in the targets file, and start it again."
    return (e.StepFailed(step=run.step.name, problem=problem, at=now, advice=advice),)


def _grave(run: Run, intent: i.Ask) -> bool:
    """Must the approval be typed?  A step that another's question covers is as grave as that one; a way back on which
    nothing is touched is not; a migration is as grave as the higher of what people said and what the bot found."""
    asking = next(each for each in run.steps if each.name is run.step.asked_by)
    if asking.name is StepName.APPLY:
        return highest((run.plan.risk, intent.risk)) == Risk.HIGH
    return asking.grave and intent.rung is not Rung.NOTHING


def _without_asking(run: Run, question: Question, now: float) -> Events:
    """A breach is answered at once where the target says so, or where approvers have signed for just that."""
    option = question.option
    if run.breach is None or option is None or run.rung_wanted is not None or run.attempt:
        return ()
    if run.plan.auto_rollback and option.possible and option.rung is not Rung.PLATFORM:
        by, why = Licence.AUTO, "automatic rollback is on for this target"
    elif run.plan.envelope is not None and run.signed:
        verdict = run.plan.envelope.covers(option)
        if not verdict.ok:
            return ()
        by, why = Licence.ENVELOPE, f"the signed rollback envelope covers it: {verdict.reason}"
    else:
        return ()
    return (e.Granted(step=question.step, digest=question.digest, at=now, by=by, why=why),)


def _cannot_ask(run: Run, intent: i.CannotAsk, now: float) -> Events:
    _awaits_question(run, intent)
    return (
        e.StepFailed(
            step=run.step.name,
            problem=intent.problem,
            at=now,
            advice=intent.advice,
            reference=intent.reference,
        ),
    )


def _awaits_question(run: Run, intent: i.Ask | i.CannotAsk) -> None:
    if run.state is not State.PREPARING or intent.number != run.asked + 1 or not _at(run, intent.step):
        raise r.Stale("This step is no longer being prepared.", "Nothing needs to be done.")


def _at(run: Run, step: StepName | None) -> bool:
    return step in (None, run.step.name)


def _begin(run: Run, intent: i.Begin, now: float) -> Events:
    if run.state is not State.WORKING or intent.attempt != run.attempt + 1 or not _at(run, intent.step):
        raise r.Stale("This attempt was begun by another worker.", "Nothing needs to be done.")
    if run.hold is not None and run.attempt == 0:
        return pause(run, run.hold, now)
    if run.attempt == 0 and (late := too_late(run, now)):
        return pause(run, out_of_time(late, now), now)
    if intent.problem:
        failed = e.StepFailed(step=run.step.name, problem=f"It could not begin: {intent.problem}", at=now)
        return (failed, *goes_back_now(run, now))
    why = _unlicensed(run, intent.digest, now) if run.step.destructive else ""
    if why:
        return _void(run, why, now)
    return (e.StepBegan(step=run.step.name, attempt=intent.attempt, digest=intent.digest, at=now),)


def _unlicensed(run: Run, digest: str, now: float) -> str:
    """Why the approval does not cover what would begin now; empty if it does."""
    if run.grant is None:  # unreachable by construction; kept because it is the first promise
        return "there is no approval for it"
    if digest != run.grant.digest:
        return "what would run is not what was approved"
    unused = run.attempt == 0 and run.since == run.grant.at  # once used, it counts until the end of what it covers
    if unused and now - run.grant.at > run.plan.timing.grant_life:
        return "the approval was not used in time"
    return ""


def _void(run: Run, why: str, now: float) -> Events:
    """Ask anew, unless somebody has said meanwhile that it shall go back, or wait."""
    voided = (e.Voided(step=run.step.name, reason=why, at=now), *goes_back_now(run, now))
    return (*voided, *pause(run, run.hold, now)) if run.hold and not run.rollback_wanted else voided


def _holds_claim(run: Run, claim: int) -> None:
    if run.state is not State.WORKING or run.claim != claim:
        raise r.Stale("This attempt lost its claim to the step.", "Its result is not recorded.")


def _finish(run: Run, intent: i.Finish, now: float) -> Events:
    finished = e.StepFinished(
        step=run.step.name, began_at=run.since, at=now, evidence=intent.evidence, facts=intent.facts
    )
    return proceed(run, (finished,), now)


def _fail(run: Run, intent: i.Fail, now: float) -> Events:
    failed = e.StepFailed(
        step=run.step.name,
        problem=intent.problem,
        at=now,
        advice=intent.advice,
        reference=intent.reference,
        database=intent.database,
        criterion=intent.criterion,
        fixes=intent.fixes,
    )
    if run.rollback_wanted or intent.criterion is None:
        return (failed, *goes_back_now(run, now))
    return (failed, *opens_way_back(run, intent.criterion, intent.problem, now))


def _pause(run: Run, now: float) -> Events:
    hold = run.hold or Hold(person="", name="the bot", reason="paused by itself", at=now)
    return (e.Held(hold=hold, at=now), *goes_back_now(run, now))


def _see_blockers(run: Run, intent: i.SeeBlockers, now: float) -> Events:
    known = {each.digest: each for each in run.blockers}
    merged = tuple(_merge(known.get(each.digest), each) for each in intent.blockers)
    if {each.digest for each in merged} == set(known):
        return ()
    return (e.BlockersSeen(blockers=merged, at=now),)


def _merge(known: Blocker | None, seen: Blocker) -> Blocker:
    """What was approved for a blocker stays with it while it is still there; only people approve."""
    return known or replace(seen, approvals=(), granted=False, awaited_by=())


def _take_sample(run: Run, intent: i.TakeSample) -> Events:
    if Timer(kind=TimerKind.SAMPLE, due=intent.due) not in timers(run):
        raise r.Stale("That measurement was already taken.", "Nothing needs to be done.")
    at = intent.sample.at
    timing, before = run.plan.timing, baseline_of(run.baseline)
    samples = (*run.samples, intent.sample)
    health = judge(
        samples,
        now=at,
        since=run.since,
        sustained_for=timing.sustained_for,
        sample_every=timing.sample_every,
        thresholds=run.plan.thresholds,
        before=before,
    )
    found: list[e.Event] = [e.Sampled(sample=intent.sample, at=at)]
    if health.judgement != run.judgement:
        found.append(e.HealthJudged(judgement=health.judgement, reason=health.reason, at=at))
    if health.judgement is Judgement.BREACH:
        failed = e.StepFailed(step=run.step.name, problem=health.reason, at=at, criterion=health.criterion)
        opened = opens_way_back(run, health.criterion, health.reason, at) if health.criterion else ()
        return (*found, failed, *opened)
    spike = (
        undecided(samples, run.plan.thresholds, before)
        if health.judgement in (Judgement.HEALTHY, Judgement.ALERT)
        else ""
    )
    if at - run.since < run.watch_seconds or spike:
        return tuple(found)
    if not settled(samples, health, sustained_for=timing.sustained_for, thresholds=run.plan.thresholds, before=before):
        problem = f"The watch is over and its last verdict is “{health.judgement}”: {health.reason}"
        return (*found, e.StepFailed(step=run.step.name, problem=problem, at=at))
    if broken(run):
        problem = "The watch is over, and people say that something is broken: " + "; ".join(findings(run))
        return (*found, e.StepFailed(step=run.step.name, problem=problem, at=at))
    if asked_now(run) and unanswered(run, Moment.AFTER):
        return tuple(found)  # it is watched until somebody has tried what only people can try
    evidence = (f"{len(samples)} measurements, the last: {health.reason}", *findings(run))
    finished = e.StepFinished(step=run.step.name, began_at=run.since, at=at, evidence=evidence)
    return proceed(run, (*found, finished), at)


def _take_baseline(run: Run, intent: i.TakeBaseline) -> Events:
    if Timer(kind=TimerKind.BASELINE, due=intent.due) not in timers(run):
        raise r.Stale("That measurement was already taken, or the run has gone on.", "Nothing needs to be done.")
    return (e.BaselineTaken(sample=intent.sample, at=intent.sample.at),)


def _tick(run: Run, intent: i.Tick, now: float) -> Events:
    if now < intent.due or Timer(kind=TimerKind(intent.kind), due=intent.due) not in timers(run):
        raise r.Stale("That moment has passed or was already taken care of.", "Nothing needs to be done.")
    question = run.question
    match TimerKind(intent.kind):
        case TimerKind.STATUS:
            return (e.StatusPosted(at=now),)
        case TimerKind.NUDGE:
            return (e.Nudged(at=now),)
        case TimerKind.REMIND if question:
            return (e.Reminded(number=question.number, level=question.reminded + 1, at=now),)
        case TimerKind.EXPIRE if question:
            return (e.Voided(step=question.step, reason="nobody answered in time", at=now),)
        case TimerKind.DEADLINE:
            return (e.DeadlineTold(passed=run.deadline is None or now >= run.deadline, at=now),)
        case _:  # kick: the engine queues the job again; sample, baseline: come with their measurement
            return ()
