"""``apply(run, event) -> run``: the only way a run changes, and so the only meaning of an event."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.runbook import events as e
from bot.runbook.baseline import kept
from bot.runbook.blame import blame
from bot.runbook.people import Approval
from bot.runbook.run import FINAL, Blocker, Database, Done, Grant, Licence, Passing, Question, Run, State, Trouble
from bot.runbook.rungs import Rung
from bot.runbook.steps import Route, Step, StepName, route_steps

if TYPE_CHECKING:  # its arguments are checked by the names of the fields
    from dataclasses import replace
else:
    from bot.runbook.changed import replace


def begin(run_id: str, event: e.Started) -> Run:
    """The run as its first event makes it: at the first step of its route."""
    run = Run(
        id=run_id,
        plan=event.plan,
        version=1,
        state=State.WORKING,
        route=Route.CLEANUP if event.plan.cleans else Route.FORWARD,
        position=0,
        started_at=event.at,
        since=event.at,
        status_at=event.at,
    )
    return replace(run, state=_state_at(run.step, None))


def apply(run: Run, event: e.Event) -> Run:
    """The run after ``event``; its version is one higher, whatever the event."""
    return replace(_applied(run, event), version=run.version + 1)


def fold(run: Run, events: Iterable[e.Event]) -> Run:
    """The run after all of ``events``."""
    for event in events:
        run = apply(run, event)
    return run


def _applied(run: Run, event: e.Event) -> Run:
    """Where the run goes."""
    match event:
        case e.Entered():
            return _entered(run, event)
        case e.Granted():
            return _granted(run, event)
        case e.Rejected(at=at) | e.Aborted(at=at):
            return replace(run, question=None, grant=None, hold=None, since=at)
        case e.Voided(at=at):
            return replace(
                run, state=State.PREPARING, question=None, grant=None, claim=None, attempt=0,
                blockers=(), breach=None, since=at,
            )  # fmt: skip
        case e.StepBegan():
            return _began(run, event)
        case e.StepFinished():
            return _finished(run, event)
        case e.StepFailed():
            return _failed(run, event)
        case e.Held():
            return _held(run, event)
        case e.Resumed(at=at) | e.Retried(at=at):
            fix = event.fix if isinstance(event, e.Retried) else None
            fixes = (*run.fixes, fix) if fix else run.fixes
            return replace(run, hold=None, keeper=None, trouble=None, proposed=(), fixes=fixes, since=at)
        case e.HandedOver(keeper=keeper, at=at):
            return replace(
                run, state=State.HANDED_OVER, keeper=keeper, question=None, hold=None, breach=None,
                since=at, nudged_at=at,
            )  # fmt: skip
        case e.HandoverOffered() | e.Handed():
            return _handing(run, event)
        case e.Ended(at=at):
            return replace(run, state=FINAL[run.route], ended_at=at, since=at)
        case _:
            return _noted(run, event)


def _noted(run: Run, event: e.Event) -> Run:
    """What is asked, answered, seen and measured along the way."""
    match event:
        case e.Asked(question=question, at=at):
            asked = replace(run, state=State.ASKING, question=question, asked=question.number, since=at)
            return _judged(asked, question) if question.step is StepName.APPLY else asked
        case e.Approved(approval=approval):
            return replace(run, question=_with_approval(run.question, approval))
        case e.HoldAsked(hold=hold):
            return replace(run, hold=hold)
        case e.RollbackAsked() | e.RungPicked() | e.DeadlineTold() | e.WindowExtended():
            return _wanted(run, event)
        case e.BlockersSeen() | e.CancelApproved() | e.WaitingAccepted():
            return _blocked(run, event)
        case e.Sampled() | e.BaselineTaken():
            return _measured(run, event)
        case e.HealthJudged(judgement=judgement, reason=reason):
            return replace(run, judgement=judgement, judged_because=reason)
        case e.StatusPosted(at=at):
            return replace(run, status_at=at)
        case e.Reminded(level=level):
            return replace(run, question=replace(run.question, reminded=level) if run.question else None)
        case e.Nudged(at=at):
            return replace(run, nudged_at=at)
        case e.CheckAnswered() | e.DatabaseNoted() | e.AnalyzeAsked() | e.AnalyzeEnded():
            return _beside(run, event)
        case _:  # a second Started is impossible
            return run


def _judged(run: Run, question: Question) -> Run:
    """What was found out about the migration stays known when the question is answered."""
    return replace(run, risk_found=question.risk, destroys=question.destroys, dangers=question.dangers)


def _measured(run: Run, event: e.Sampled | e.BaselineTaken) -> Run:
    """A watch keeps all of its measurements, the time before the newest."""
    if isinstance(event, e.BaselineTaken):
        return replace(run, baseline=kept(run.baseline, event.sample))
    return replace(run, samples=(*run.samples, event.sample))


def _wanted(run: Run, event: e.RollbackAsked | e.RungPicked | e.DeadlineTold | e.WindowExtended) -> Run:
    """What is wanted of the way back, and until when it is easy; and how long the way forward may take."""
    match event:
        case e.WindowExtended(until=until):
            return replace(run, extended=until)
        case e.RollbackAsked(reason=reason, criterion=criterion):
            return replace(_blamed(run), rollback_wanted=reason, left=(run.route, run.position), breach=criterion)
        case e.RungPicked(rung=rung, at=at):
            return replace(run, state=State.PREPARING, question=None, grant=None, rung_wanted=rung, way=None, since=at)
        case e.DeadlineTold(passed=passed):
            return replace(run, deadline_told=2 if passed else 1)


def _handing(run: Run, event: e.HandoverOffered | e.Handed) -> Run:
    """Whose run it shall be, and is."""
    return replace(run, offered=event.offer) if isinstance(event, e.HandoverOffered) else _handed(run, event)


def _handed(run: Run, event: e.Handed) -> Run:
    """What the receiver had approved would now be their own approval of their own run."""
    passing = Passing(to=event.to, to_name=event.to_name, by=event.by, by_name=event.by_name, at=event.at)
    taken = replace(run, offered=None, passed=(*run.passed, passing))
    if run.plan.policy.self_approval:
        return taken
    asked = run.question
    signed = _without(run.signed, event.to)
    return replace(
        taken,
        question=replace(asked, approvals=_without(asked.approvals, event.to)) if asked else None,
        blockers=tuple(replace(each, approvals=_without(each.approvals, event.to)) for each in run.blockers),
        signed=signed if len(signed) >= run.plan.policy.quorum else (),
    )


def _without(approvals: tuple[Approval, ...], person: str) -> tuple[Approval, ...]:
    return tuple(each for each in approvals if each.person != person)


def _state_at(step: Step, grant: Grant | None) -> State:
    """How a step begins: by watching, by asking, or at once."""
    if step.watches:
        return State.WATCHING
    covered = step.asked_by != step.name and grant is not None and grant.step == step.asked_by
    return State.WORKING if step.asked_by is None or covered else State.PREPARING


def _entered(run: Run, event: e.Entered) -> Run:
    plan = run.plan
    steps = route_steps(plan.runbook, event.route, downtime=plan.downtime, standby=plan.standby)
    step = steps[event.position]
    grant = run.grant if run.grant and run.grant.step == step.asked_by else None
    keeping = grant or (run.grant if _grant_needed_later(run, steps[event.position :]) else None)
    return replace(
        run, route=event.route, position=event.position, state=_state_at(step, keeping), grant=keeping,
        attempt=0, claim=None, question=None, hold=None, trouble=None, blockers=(), samples=(), judgement=None,
        judged_because="", rollback_wanted="", reason=event.reason or run.reason, since=event.at,
        keeper=run.keeper if event.route is Route.CLOSE else None,
        breach=run.breach if event.route is Route.ROLLBACK else None,
        rung_wanted=_still_wanted(run, event),
    )  # fmt: skip


def _still_wanted(run: Run, event: e.Entered) -> Rung | None:
    """A picked way stays picked while going back; the platform's was in people's hands, and they gave it back."""
    stays = event.route is Route.ROLLBACK and run.route is Route.ROLLBACK and run.rung_wanted is not Rung.PLATFORM
    return run.rung_wanted if stays else None


def _grant_needed_later(run: Run, rest: tuple[Step, ...]) -> bool:
    """A rollback's one grant lives on over its unasked steps."""
    return run.grant is not None and any(
        step.asked_by == run.grant.step and step.name != step.asked_by for step in rest
    )


def _with_approval(question: Question | None, approval: Approval) -> Question | None:
    return replace(question, approvals=(*question.approvals, approval)) if question else None


def _granted(run: Run, event: e.Granted) -> Run:
    asked = run.question
    approvals = run.signed if event.by is Licence.ENVELOPE else asked.approvals if asked else ()
    grant = Grant(step=event.step, digest=event.digest, approvals=approvals, at=event.at, by=event.by)
    signs = event.step is StepName.APPLY and run.plan.envelope is not None
    return replace(
        run, state=State.WORKING, question=None, grant=grant, since=event.at,
        signed=approvals if signs else run.signed,
        way=asked.option if asked and asked.step is StepName.ANNOUNCE_ROLLBACK else run.way,
    )  # fmt: skip


def _held(run: Run, event: e.Held) -> Run:
    """A running step that pauses has changed nothing: the database is again what it was before."""
    known = run.database_state if run.claim is None else run.database_before
    return replace(
        run, state=State.HELD, hold=event.hold, question=None, grant=None, claim=None, blockers=(),
        database_state=known, since=event.at, nudged_at=event.at,
    )  # fmt: skip


def _began(run: Run, event: e.StepBegan) -> Run:
    before = run.database_state if event.attempt == 1 else run.database_before
    run = replace(
        run, claim=run.version + 1, attempt=event.attempt, database_before=before, proposed=(), since=event.at,
        blockers=(),
    )  # fmt: skip
    if event.step in (StepName.STOP_SERVICES, StepName.RESTART_SERVICES):  # restarting what runs stops it first
        down_at = run.down_at if run.services_down else event.at
        return replace(run, services_down=True, down_at=down_at, up_at=None)
    if event.step in (StepName.APPLY, StepName.GO_BACK):
        return replace(run, database_state=Database.UNKNOWN)
    return run


def _finished(run: Run, event: e.StepFinished) -> Run:
    done = Done(
        step=event.step,
        began_at=event.began_at,
        ended_at=event.at,
        evidence=event.evidence,
        facts=event.facts,
    )
    onward = (run.route, min(run.position + 1, len(run.steps) - 1))  # a declined rollback repeats nothing
    left = onward if run.rollback_wanted else run.left
    run = replace(run, done=(*run.done, done), left=left, claim=None, blockers=(), since=event.at)
    match event.step:
        case StepName.APPLY:
            return replace(run, database_state=Database.CHANGED)
        case StepName.VERIFY:
            return replace(run, analyzed=False)
        case StepName.GO_BACK:
            return replace(run, database_state=Database.UNTOUCHED)
        case StepName.RESTART_SERVICES:
            gone = event.at - run.down_at if run.services_down and run.down_at is not None else 0.0
            return replace(run, services_down=False, up_at=event.at, down_seconds=run.down_seconds + gone)
    return run


def _failed(run: Run, event: e.StepFailed) -> Run:
    trouble = Trouble(step=event.step, problem=event.problem, advice=event.advice, reference=event.reference)
    return replace(
        _blamed(run), state=State.STUCK, trouble=trouble, claim=None, grant=None, question=None, hold=None, blockers=(),
        breach=None, database_state=event.database or run.database_state, proposed=event.fixes,
        since=event.at, nudged_at=event.at,
    )  # fmt: skip


def _blamed(run: Run) -> Run:
    """What speaks for the migration and against it, kept from the watch: the measurements go with their step."""
    found = blame(run)
    return replace(run, speaks_for=found.speaks_for, speaks_against=found.speaks_against) if run.samples else run


def _beside(run: Run, event: e.CheckAnswered | e.DatabaseNoted | e.AnalyzeAsked | e.AnalyzeEnded) -> Run:
    """What people and the bot find out, and do, beside the steps."""
    match event:
        case e.CheckAnswered(answer=answer):
            return replace(run, answers=(*run.answers, answer))
        case e.DatabaseNoted(lines=lines):
            return replace(run, database_notes=lines)
        case e.AnalyzeAsked(tables=tables):
            return replace(run, analyzing=tables)
        case e.AnalyzeEnded():
            return replace(run, analyzing=(), analyzed=True)


def _blocked(run: Run, event: e.BlockersSeen | e.CancelApproved | e.WaitingAccepted) -> Run:
    """Who keeps the migration waiting, and what people say to that."""
    match event:
        case e.BlockersSeen(blockers=blockers):
            return replace(run, blockers=blockers)
        case e.CancelApproved():
            return replace(run, blockers=tuple(_cancel_approved(each, event) for each in run.blockers))
        case e.WaitingAccepted():
            return replace(run, blockers=tuple(_awaited(each, event) for each in run.blockers))


def _cancel_approved(blocker: Blocker, event: e.CancelApproved) -> Blocker:
    if blocker.digest != event.digest:
        return blocker
    return replace(blocker, approvals=(*blocker.approvals, event.approval), granted=event.granted)


def _awaited(blocker: Blocker, event: e.WaitingAccepted) -> Blocker:
    if blocker.digest != event.digest:
        return blocker
    return replace(blocker, awaited_by=(*blocker.awaited_by, event.person))
