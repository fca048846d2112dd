"""The promises I1 to I7 as functions over one move: ``(before, intent, events, after)`` and what really happened.

They are written against the facts of the move and the cast's own table of who may do what, never by asking
``authority`` or ``decide`` for their opinion.
"""

from collections.abc import Callable
from typing import Any

from tests.runbook.cast import MAY_APPROVE, STEERING
from tests.runbook.move import Move, holds, needs


def i1_consent(move: Move) -> None:
    """No destructive step begins without enough live approvals, of allowed people, for what runs now."""
    for began in move.of("StepBegan"):
        step = move.before.step
        holds(began.step is step.name, "the step that begins is the step the run is at")
        if step.asked_by is not None:
            _licensed(move, step, began)
    for approval in _new_approvals(move):
        holds(approval.person == move.intent.person.id, "an approval is its sender's own")
        holds(approval.digest == move.intent.digest, "an approval is for the digest that was clicked")
        holds(approval.person in _may_approve(move.before), "an approval is of somebody who may give it")
    for approved in move.of("Approved"):
        question = move.before.question
        holds(approved.approval.digest == question.digest, "an approval is for the digest that was asked")
        holds(move.now <= question.expires_at, "an approval is given in the question's life")
        holds(question.word in (None, move.intent.word), "the gravest approvals are typed")


def _licensed(move: Move, step: Any, began: Any) -> None:
    grant, policy = move.before.grant, move.before.plan.policy
    holds(grant is not None, "a destructive step has a grant")
    holds(grant.step == step.asked_by, "the grant is for this step, or for the rollback's one question")
    holds(began.digest == grant.digest, "what begins is what was granted")
    if grant.by == "people":
        counted = {each.person for each in grant.approvals if each.digest == began.digest}
        more = 1 if began.step == "apply" and move.recalled.destroys else 0
        holds(
            len(counted) >= policy.quorum + more, "the quorum is made of different people who said yes to this digest"
        )
        holds(counted <= _may_approve(move.before), "every yes that counts is of somebody who may give it")
    else:
        holds(step.asked_by == "announce_rollback", "only a way back begins without being asked for")
    unused = began.attempt == 1 and move.before.since == grant.at
    holds(
        not unused or began.at - grant.at <= move.before.plan.timing.grant_life, "the grant is not older than its life"
    )


def i1_destroys(move: Move) -> None:
    """What is destroyed is asked for as such: with one approval more, and typed where the bot finds a high risk."""
    for asked in move.of("Asked"):
        question, plan = asked.question, move.before.plan
        holds(question.destroys == move.intent.destroys, "what was found to be destroyed is what is asked for")
        holds(question.quorum == plan.policy.quorum + bool(move.intent.destroys), "it needs one approval more")
        if question.step == "apply":
            high = "high" in (plan.risk, move.intent.risk)
            holds((question.word is not None) is high, "the higher of both risks decides whether it is typed")
            holds(move.after.destroys == question.destroys, "the run knows what its migration destroys")
            holds(move.after.risk == max(plan.risk, move.intent.risk or "low", key=_LEVELS.index), "and its risk")


_LEVELS = ("low", "medium", "high")


def i1_without_asking(move: Move) -> None:
    """A way back is gone without asking only after a proven breach, and only as far as was agreed to beforehand."""
    for granted in move.of("Granted"):
        if granted.by == "people":
            continue
        plan, option = move.before.plan, move.after.way
        holds(granted.step == "announce_rollback" and move.before.breach is not None, "a criterion is met")
        holds(option is not None and option.possible and option.rung != "platform", "the bot can go that way")
        holds(move.before.rung_wanted is None, "nobody has chosen otherwise")
        if granted.by == "auto":
            holds(plan.auto_rollback, "the target says so")
            continue
        signers = {each.person for each in move.after.grant.approvals}
        holds(len(signers) >= plan.policy.quorum, "a quorum signed")
        holds(signers <= _may_approve(move.before), "who signed may approve")
        holds(option.rows is not None and option.rows <= plan.envelope.rows, "no more rows are lost than agreed")
        holds(option.seconds is not None and option.seconds <= plan.envelope.minutes * 60, "it is as quick as agreed")


def i1_rung(move: Move) -> None:
    """The way back that is granted is the one that was asked for, and a picked one is one that was offered."""
    for granted in move.of("Granted"):
        if granted.step == "announce_rollback":
            asked = next((each.question for each in move.of("Asked")), move.before.question)
            holds(move.after.way == asked.option, "the way that is gone is the way that was asked for")
    for picked in move.of("RungPicked"):
        offered = {each.rung for each in move.before.question.options if each.possible}
        holds(picked.rung in offered, "only what is possible is picked")
        holds(move.intent.person.id in STEERING, "who picks may steer")
        holds(move.after.grant is None and move.after.question is None, "another way is asked for anew")


def _may_approve(run: Any) -> frozenset[str]:
    """Nobody who has ever had the run in hand; told from the record, not from the run's own word for it."""
    hands = {run.plan.starter, *(each.to for each in run.passed)}
    return MAY_APPROVE if run.plan.policy.self_approval else MAY_APPROVE - hands


def i1_hands(move: Move) -> None:
    """A run changes hands by two people's word, and what the receiver approved of the open question is void."""
    for offered in move.of("HandoverOffered"):
        holds(move.intent.person.id in STEERING and offered.offer.to in STEERING, "both have a part in it")
    for handed in move.of("Handed"):
        holds(move.before.offered is not None and move.before.offered.to == handed.to, "it was offered to them")
        holds(move.intent.person.id == handed.to, "they took it themselves")
        holds(move.after.executor == handed.to and move.after.offered is None, "it is theirs")
        asked, grant = move.after.question, move.after.grant
        given = (*(asked.approvals if asked else ()), *(grant.approvals if grant else ()))
        holds(all(each.person != handed.to for each in given), "nothing is approved by whose run it is")


def _new_approvals(move: Move) -> list[Any]:
    return [each.approval for each in move.of("Approved", "CancelApproved")]


def i1_blockers(move: Move) -> None:
    """Nobody's session is cancelled without the same consent."""
    for blocker in move.after.blockers:
        people = {each.person for each in blocker.approvals}
        holds(people <= _may_approve(move.after), "only approvers let a session be cancelled")
        holds(not blocker.granted or len(people) >= move.after.plan.policy.quorum, "cancelling needs the quorum")


def i1_no_means_no(move: Move) -> None:
    """After a no there is no licence left, and no way to the step but a new question."""
    if move.of("Rejected", "Voided"):
        holds(move.after.grant is None and move.after.question is None, "a no leaves nothing approved")
        destructive = move.after.step.asked_by is not None and move.after.state == "working"
        holds(not destructive, "a no never leads to a destructive step at work")
    if move.of("Asked"):
        holds(move.after.asked > move.before.asked, "every question has a new number")
    if move.of("Rejected"):
        allowed = STEERING - {"oncall"}
        holds(move.intent.person.id in allowed, "a no is of an approver, an owner or the starter")
        holds(move.intent.reason.strip(), "a no has its reason")


def i2_one_claim(move: Move) -> None:
    """One attempt runs at most, and only its own worker is believed."""
    spoken_of = getattr(move.intent, "step", None)
    holds(spoken_of in (None, move.before.step.name), "a worker speaks of the step the run is at")
    holds(len(move.of("StepBegan")) <= 1, "one attempt begins at a time")
    holds(move.after.claim is None or move.after.state == "working", "a claim exists only while a step works")
    for began in move.of("StepBegan"):
        holds(began.attempt == move.before.attempt + 1, "attempts are counted")
        holds(move.after.claim not in (None, move.before.claim), "a new attempt takes the claim away from the old")
    if hasattr(move.intent, "claim"):
        holds(move.intent.claim == move.before.claim is not None, "a worker speaks for the claim it holds")


def i3_never_stuck(move: Move) -> None:
    """A run that is not final has a clock running for it, and people it can name where people are needed."""
    run = move.after
    kinds = {timer.kind.value for timer in move.core.timers.timers(run)}
    if run.final:
        holds(not kinds, "nothing is due for a final run")
        return
    holds("status" in kinds, "the status update is always due")
    needed = {"preparing": "kick", "working": "kick", "watching": "sample", "asking": "expire"}
    holds(needed.get(run.state, "nudge") in kinds, f"a timer moves a run on that is {run.state}")
    holds(run.hold is None or run.state in ("working", "watching", "held"), "nobody is asked over a pulled cord")
    match run.state:
        case "asking":
            enough = len(_may_approve(run)) >= run.question.quorum or run.passed  # the group has more members
            holds(run.question is not None and enough, "enough people can be named who may say yes")
            climbed = run.question.reminded >= len(run.plan.timing.remind_after)
            holds(climbed or "remind" in kinds, "an open question is repeated until the ladder's top")
        case "held":
            holds(run.hold is not None, "it is known who holds")
        case "stuck":
            holds(run.trouble is not None, "it is known what failed")
        case "handed_over":
            holds(run.keeper is not None, "a named person has it in hand")
        case "preparing":
            holds(run.step.asked_by is not None, "only what must be asked for is prepared")
        case "watching":
            holds(run.step.watches, "only a watch is watched")


def i3_asks_again(move: Move) -> None:
    """A timer that fired is armed for a later moment: what is due once is not lost, nor due for ever."""
    if type(move.intent).__name__ != "Tick" or move.intent.kind == "kick" or not move.events:
        return
    same = [each for each in move.core.timers.timers(move.after) if each.kind == move.intent.kind]
    holds(all(each.due > move.intent.due for each in same), "a timer that fired moves on")


def i4_services(move: Move) -> None:
    """The run knows whether services are down, and no run ends with them down unless a person holds it."""
    holds(move.after.services_down is move.remembered.down, "the run knows whether services are down")
    if move.after.final and move.remembered.down:
        holds(move.after.state == "closed" and move.remembered.kept, "services down are somebody's, by name")
    if move.after.state == "closed":
        holds(move.remembered.kept, "only what a person took over is closed by hand")


def i4_database(move: Move) -> None:
    """Nobody walks away from a changed database."""
    known = move.after.database_state
    for began in move.of("StepBegan"):
        if began.step in ("apply", "go_back"):
            holds(known == "unknown", "from its beginning a change is not known to be out, or in")
    if move.after.final:
        left = known != "untouched" and move.after.state not in ("completed", "closed")
        holds(not left, "a change is never left behind")
        holds(known == "changed" or move.after.state != "completed", "completed means that the migration is in")
    for entered in move.of("Entered"):
        leaving = entered.route in ("cancel", "return")
        holds(not leaving or known == "untouched", "the way out without the migration is for an untouched database")


def i5_final(move: Move) -> None:
    """A run ends by an announcement that was made."""
    for _ in move.of("Ended"):
        made = move.of("StepFinished")
        holds(made and made[-1].step.startswith("announce_"), "a run ends by its announcement")
        holds(move.after.final and move.after.position == len(move.after.steps) - 1, "it ends at its route's end")
    holds(move.after.final == bool(move.of("Ended")), "only an ended run is final")


def i6_replay(move: Move) -> None:
    """The ledger's words, read back, make the same run bit for bit."""
    codec = move.core.codec
    run = move.before
    for event in move.events:
        read = codec.decode(*codec.encode(event))
        holds(read == event and codec.encode(read) == codec.encode(event), f"{event} is read as it was written")
        run = move.core.apply.apply(run, read)
    holds(run == move.after, "the replayed run is the run")
    holds(run.version == move.before.version + len(move.events), "every event is one version")


def i7_way_back(move: Move) -> None:
    """A rollback that ended went back for real, and one that was asked for is not forgotten."""
    if move.after.state == "rolled_back":
        holds(move.remembered.gone_back, "rolled back means that the way back was gone")
    wanted = move.after.rollback_wanted
    holds(not wanted or move.after.claim is not None, "a rollback waits only for a running step")
    if move.before.route == "rollback" and move.after.route == "forward":
        holds(move.of("Rejected") and move.before.position == 0, "only a no to its question ends a rollback")
    for opened in move.of("RollbackAsked"):
        holds(opened.person or move.before.backed_up, "the bot opens a way back only where there is one")
    if move.of("Resumed", "Retried", "Aborted", "HandedOver") or any(o.person for o in move.of("RollbackAsked")):
        holds(move.intent.person.id in STEERING, "only those who steer, steer")
    opening = getattr(move.intent, "criterion", None) and move.before.route == "forward" and move.before.backed_up
    holds(not opening or move.after.route == "rollback", "a met criterion opens the way back at once")


def hold_holds(move: Move) -> None:
    """A pulled cord stops the next destructive step of the migration until somebody with authority resumes."""
    if move.of("StepBegan"):
        running_already = move.before.claim is not None
        stopped = move.recalled.pulled and move.before.route == "forward" and move.before.step.asked_by is not None
        holds(not stopped or running_already, "nothing destructive begins while the cord is pulled")


def fixes_as_offered(move: Move) -> None:
    """What failed is tried in another way only as was proposed; services are restarted only from their watch."""
    for retried in move.of("Retried"):
        if retried.fix is None:
            holds(move.after.position == move.before.position, "what failed is what is tried again")
            continue
        holds(move.intent.person.id in STEERING, "who mends may steer")
        restart = retried.fix == "restart"
        holds(restart or retried.fix in move.recalled.proposed, "only what was proposed is done")
        holds(not restart or move.before.step.name == "monitor", "only services that are watched are restarted")
        holds(not restart or move.after.step.name == "restart_services", "and they are restarted")
        holds(move.after.grant is None and move.after.claim is None, "it is asked for anew")
        holds(move.after.fixes == (*move.before.fixes, retried.fix), "and the step knows of it")


def tried_by_hand(move: Move) -> None:
    """What only people can try is tried by those who were asked, and a migration is not complete before."""
    for each in move.of("CheckAnswered"):
        said, run = each.answer, move.before
        holds(said.person in STEERING | {"outsider"}, "who answers was asked, or may steer")
        holds(said.works or said.note.strip(), "what is broken has its words")
        expected = "before" if run.before_any_change else "after"
        holds(said.moment == expected, "it is known whether it was tried before or after")
        known = move.recalled.tried.get("before") == "broken"
        opens = not said.works and said.moment == "after" and not known
        holds(bool(move.of("RollbackAsked")) is opens, "what the migration broke asks for the way back")
        holds(not opens or move.after.breach is None, "and nobody goes it without being asked")
    completed = any(each.step == "monitor" for each in move.of("StepFinished"))
    if completed and move.before.plan.manual:
        holds("after" in move.recalled.tried, "somebody has tried it")
        broken = move.recalled.tried["after"] == "broken" and move.recalled.tried.get("before") != "broken"
        holds(not broken, "nothing is complete that is broken")


def kept_up(move: Move) -> None:
    """The bot gathers only the statistics that the verification missed, once, and when somebody who steers says so."""
    for asked in move.of("AnalyzeAsked"):
        holds(move.intent.person.id in STEERING, "who lets it may steer")
        holds(move.before.route == "forward" and not move.before.analyzing, "it is done on the way forward, once")
        holds(list(asked.tables) == ["cases"], "of the tables that have none")
    for _ in move.of("AnalyzeEnded"):
        holds(move.before.analyzing and not move.after.analyzing, "what ends was asked for")


Invariant = Callable[[Move], None]


def i8_window(move: Move) -> None:
    """Up to the migration no step is asked for or begun that would not end, and be undone, inside the window."""
    run = move.before
    for extended in move.of("WindowExtended"):
        holds(move.intent.person.id in STEERING, "who extends the window may steer")
        holds(extended.until > run.window_end and extended.reason.strip(), "more time is given, with a reason")
    for held in move.of("Held"):
        if held.hold.window:
            holds(needs(run) > run.window_end - move.now, "nothing is held for the want of time while there is enough")
            holds(run.database_state == "untouched", "nothing is held half-way through the change")
    if run.plan.window_end is None or run.route != "forward" or run.database_state != "untouched":
        return
    crossed = [each for each in move.of("StepBegan") if each.attempt == 1] + move.of("Asked")
    if run.hold is not None and run.hold.window:
        crossed += move.of("Resumed")
    if crossed and not any(each.step == "apply" for each in run.done):
        holds(needs(run) <= move.after.window_end - move.now, "what is begun ends, and can be undone, in time")


INVARIANTS: tuple[Invariant, ...] = (
    i1_consent, i1_destroys, i1_hands, i1_without_asking, i1_rung, i1_blockers, i1_no_means_no, i2_one_claim,
    i3_never_stuck, i3_asks_again, i4_services, i4_database, i5_final, i7_way_back, i8_window, fixes_as_offered,
    tried_by_hand, kept_up, hold_holds,
)  # fmt: skip
