"""Which event makes which message.  Pure, so a replay makes the same letters with the same keys.

The card is ``<run>:card``, a question ``<run>:q<number>``, a blocker ``<run>:<claim>:blocker:<session>``; what
waits for people is named by the moment it began to wait.  Everything else is named by the version it belongs to.
"""

from bot.ports import Letter
from bot.runbook import events as e
from bot.runbook import texts
from bot.runbook.digest import short
from bot.runbook.people import Policy
from bot.runbook.run import Blocker, Question, Run
from bot.runbook.samples import Judgement
from bot.runbook.steps import StepName, route_steps
from bot.runbook.wording import duration, utc
from bot.views import blocks as b
from bot.views import waiting
from bot.views.blocked import blocked
from bot.views.blocks import Glyph
from bot.views.card import card, needed_line
from bot.views.question import question, title, until
from bot.views.text import escape, mention, moment, said

Letters = tuple[Letter, ...]
_MOST_TEXTS = 8  # files shown in full; the digest covers every one


def card_key(run: Run) -> str:
    """The key of the one living message."""
    return f"{run.id}:card"


def question_key(run: Run, number: int) -> str:
    """The key of a question's message."""
    return f"{run.id}:q{number}"


def blocker_key(run: Run, claim: int | None, blocker: Blocker) -> str:
    """The key of a blocker's message within one attempt."""
    return f"{run.id}:{claim}:blocker:{blocker.digest}"


def waiting_key(run: Run) -> str:
    """The key of the message that asks people what now (held, stuck, handed over)."""
    return f"{run.id}:{run.state}:{int(run.since * 1000)}:{len(run.done)}"


def letters(before: Run | None, after: Run, event: e.Event, *, head: str = "", worst: str = "") -> Letters:
    """The messages that ``event`` calls for, in order.

    ``head`` is the ledger's hash after it; ``worst`` is how long the step that is asked for may take.
    """
    match event:
        case e.Started(at=at):
            return (_letter(after, card_key(after), card(after, at, head=head), pin=True),)
        case e.Asked(question=asked):
            key = question_key(after, asked.number)
            return (_letter(after, key, question(after, worst=worst)), *_texts(after, key, asked))
        case e.Reminded(number=number, level=level) if after.question:
            return (_reminder(after, number, level),)
        case e.StepFinished():
            return _finished(after, event, head)
        case e.StepFailed() | e.Held() | e.HandedOver():
            return (_letter(after, waiting_key(after), waiting.asks(after, event.at)),)
        case e.BlockersSeen(blockers=blockers):
            known = {each.digest for each in before.blockers} if before else set()
            return tuple(_blocker(after, each) for each in blockers if each.digest not in known)
        case e.StatusPosted(at=at):
            return (_in_channel(after, "status", _status(after, at, head)),)
        case e.Nudged(at=at):
            return (_in_channel(after, "nudge", waiting.asks(after, at)),)
        case e.HealthJudged(judgement=judgement, reason=reason):
            return (_health(after, judgement, reason),)
        case e.Resumed(name=name):
            line = f"{Glyph.INFO} {said(name, 80)} lets the run go on with “{after.step.title}”."
            return (_in_channel(after, "resumed", b.payload(line, [b.section(line)])),)
        case e.Granted() if before and before.question:
            return (_in_thread(after, "granted", _granted(after, before.question)),)
    line = _line(after, event)
    return (_in_thread(after, type(event).__name__.lower(), line),) if line else ()


def _texts(run: Run, thread: str, asked: Question) -> Letters:
    """The SQL itself, in the question's thread: nobody has to trust a file name."""
    shown = asked.texts[:_MOST_TEXTS]
    made = []
    for number, (name, body) in enumerate(shown, 1):
        heading = f"{Glyph.INFO} {said(name, 120)}, what digest {short(asked.digest)} covers:"
        drawn = b.payload(f"{heading}\n{said(body, 1500)}", [b.section(heading), b.code(body.splitlines(), 6200)])
        made.append(_letter(run, f"{thread}:text{number}", drawn, thread=thread))
    return tuple(made)


def _line(run: Run, event: e.Event) -> str:
    """What the card's thread says of an event; empty for those that are shown elsewhere."""
    match event:
        case e.Approved(approval=yes) if run.question and len(run.question.approvals) < run.plan.policy.quorum:
            count = f"{len(run.question.approvals)} of {run.plan.policy.quorum}"
            title_ = title(run, run.question)
            return f"{Glyph.DONE} {said(yes.name, 80)} approved “{title_}” ({count}), digest {short(yes.digest)}."
        case e.Rejected(step=step, name=name, reason=reason):
            return f"{Glyph.FAILED} {said(name, 80)} rejected “{_title(run, step)}”: {said(reason)}"
        case e.Voided(step=step, reason=reason):
            return f"{Glyph.INFO} “{_title(run, step)}” is described and asked for anew: {said(reason)}."
        case e.StepBegan(step=step, attempt=attempt):
            return f"{Glyph.INFO} “{_title(run, step)}” began{f', attempt {attempt}' if attempt > 1 else ''}."
        case e.HoldAsked(hold=hold):
            when = f"when “{run.step.title}” ends"
            return f"{Glyph.HOLD} {said(hold.name, 80)} holds the run; it stops {when}: {said(hold.reason)}"
        case e.Retried(name=name):
            return f"{Glyph.INFO} {said(name, 80)} has “{run.step.title}” tried again."
        case e.Aborted(name=name, reason=reason):
            return f"{Glyph.INFO} {said(name, 80)} aborted the run: {said(reason)}"
        case e.RollbackAsked(name=name, reason=reason):
            return f"{Glyph.ATTENTION} {said(name, 80)} asked to roll back: {said(reason)}"
        case e.CancelApproved(digest=digest, approval=yes):
            return f"{Glyph.DONE} {said(yes.name, 80)} approved cancelling session {said(digest, 60)}."
        case e.WaitingAccepted(digest=digest, name=name):
            return f"{Glyph.INFO} {said(name, 80)} lets the migration wait for session {said(digest, 60)}."
        case e.Ended(at=at):
            return f"{Glyph.INFO} The run is over: {texts.place(run)}, after {duration(texts.elapsed(run, at))}."
    return ""


def _granted(run: Run, asked: Question) -> str:
    """The last approval and the licence it completed, in one line."""
    names = ", ".join(said(each.name, 80) for each in asked.approvals[:20])
    return f"{Glyph.DONE} “{title(run, asked)}” is approved by {names}, digest {short(asked.digest)}."


def _finished(run: Run, event: e.StepFinished, head: str) -> Letters:
    """Announcements are made in the channel; every finished step leaves its evidence in the thread."""
    name = _title(run, event.step)
    took = duration(event.at - event.began_at)
    line = f"{Glyph.DONE} “{name}” is done after {took}{f' · record {short(head)}' if head else ''}."
    evidence = "\n".join(f"• {said(each)}" for each in event.evidence[:20])
    boxed = [b.code(event.evidence, 5000)] if event.evidence else []
    thread = _letter(
        run, _key(run, "finished"), b.payload(f"{line}\n{evidence}", [b.section(line), *boxed]), thread=card_key(run)
    )
    announced = announcement(run, event.step, event.at)
    if not announced:
        return (thread,)
    return (_in_channel(run, "announcement", _announced(run, announced, event.step)), thread)


def announcement(run: Run, step: StepName, now: float) -> str:
    """The words of an announcing step; empty for the others."""
    match step:
        case StepName.ANNOUNCE_START:
            return texts.maintenance_start(run)
        case StepName.ANNOUNCE_COMPLETE:
            return texts.complete(run, now)
        case StepName.ANNOUNCE_ROLLBACK:
            return texts.rollback(run)
        case StepName.ANNOUNCE_CANCELLED:
            return texts.cancelled(run)
        case StepName.ANNOUNCE_STOPPED:
            return texts.returned(run, now)
        case StepName.ANNOUNCE_ROLLED_BACK:
            return texts.rolled_back(run, now)
        case StepName.ANNOUNCE_CLOSED:
            return texts.closed(run)
    return ""


def _announced(run: Run, announced: str, step: StepName) -> b.Payload:
    """The words as they are; the start says its time in each reader's own zone as well."""
    marked = escape(announced.replace("`", "ˋ"))
    own = f" · expected completion in your time: {moment(texts.expected_end(run), '{date_short_pretty} {time}')}"
    note = f"{said(run.plan.name, 100)} on {said(run.plan.target, 80)}{own if step is StepName.ANNOUNCE_START else ''}"
    return b.payload(marked, [b.section(marked), b.context(note)])


def _status(run: Run, now: float, head: str) -> b.Payload:
    """The update; where people are needed, its line about them calls them."""
    lines = escape(texts.status(run, now, head)).splitlines()
    call = needed_line(run).replace("*Needed:*", "Needed:", 1)
    marked = "\n".join(call if call and line.startswith("Needed: ") else line for line in lines)
    return b.payload(marked, [b.section(marked)])


def _reminder(run: Run, number: int, level: int) -> Letter:
    """In the question's thread, calling ever more people: approvers, owners, on-call."""
    asked = run.question
    if asked is None:
        raise ValueError("There is no open question to remind of.")
    called = _called(run.plan.policy, level, run)
    line = (
        f"{Glyph.ATTENTION} {mention(called)} “{title(run, asked)}” still waits for approval,"
        f" {len(asked.approvals)} of {run.plan.policy.quorum} so far; open until {until(asked)}."
    )
    plain = line.replace(until(asked), utc(asked.expires_at))
    made = b.payload(plain, [b.section(line)])
    return _letter(run, f"{question_key(run, number)}:reminder{level}", made, thread=question_key(run, number))


def _called(policy: Policy, level: int, run: Run) -> frozenset[str]:
    """Reminder 1 calls those who can answer, later ones everybody the policy names for that level."""
    return texts.needed(run) if level <= 1 else policy.mention(level - 1)


def _health(run: Run, judgement: Judgement, reason: str) -> Letter:
    """A worry is told to the channel, everything else to the thread."""
    if judgement in (Judgement.ALERT, Judgement.BREACH):
        called = mention(run.plan.policy.owners | run.plan.policy.on_call or run.plan.policy.approvers)
        line = f"{Glyph.ATTENTION} {called} The services need a look ({judgement}): {said(reason)}"
        return _in_channel(run, "health", b.payload(line, [b.section(line)]))
    sign = Glyph.DONE if judgement is Judgement.HEALTHY else Glyph.ATTENTION
    return _in_thread(run, "health", f"{sign} The services are judged {judgement}: {said(reason)}")


def _blocker(run: Run, blocker: Blocker) -> Letter:
    return _letter(run, blocker_key(run, run.claim, blocker), blocked(run, blocker))


def _title(run: Run, name: StepName) -> str:
    """The title of a step, on whichever route it stands."""
    steps = (*run.steps, *route_steps(run.plan.runbook, run.left[0] if run.left else run.route, downtime=True))
    return next((step.title for step in steps if step.name is name), name.replace("_", " "))


def _key(run: Run, what: str) -> str:
    return f"{run.id}:{run.version}:{what}"


def _in_channel(run: Run, what: str, made: b.Payload) -> Letter:
    return _letter(run, _key(run, what), made)


def _in_thread(run: Run, what: str, line: str) -> Letter:
    return _letter(run, _key(run, what), b.payload(line, [b.section(line)]), thread=card_key(run))


def _letter(run: Run, key: str, made: b.Payload, *, thread: str = "", pin: bool = False) -> Letter:
    return Letter(key=key, run_id=run.id, channel=run.plan.channel, payload=made, thread=thread, pin=pin)
