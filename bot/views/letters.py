"""Which event makes which message.  Pure, so a replay makes the same letters with the same keys.

The card is ``<run>:card``, a question ``<run>:q<number>``, a blocker ``<run>:<claim>:blocker:<session>``; what
waits for people is named by the moment it began to wait.  Everything else is named by the version it belongs to.
"""

from bot.ports import Attachment, Letter
from bot.runbook import events as e
from bot.runbook.announcements import announcement, kept
from bot.runbook.manual import Moment
from bot.runbook.predicted import lines as predicted
from bot.runbook.run import Blocker, Licence, Question, Run, State
from bot.runbook.samples import Judgement
from bot.runbook.steps import StepName
from bot.runbook.tried import asked_now, unanswered
from bot.runbook.upkeep import without_statistics
from bot.views import alarms, handover, investigation, notices, waiting
from bot.views import blocks as b
from bot.views.blocked import blocked
from bot.views.blocks import Glyph
from bot.views.card import card
from bot.views.charted import chart_file
from bot.views.exercise import marked
from bot.views.lines import granted, line
from bot.views.manual import check_asked, check_key, check_reminder
from bot.views.question import question
from bot.views.report import report_files
from bot.views.text import said
from bot.views.timeline import Record
from bot.views.upkeep import analyze_key, analyze_offered

Letters = tuple[Letter, ...]
_MOST_TEXTS = 8  # files shown in full; the digest covers every one
_NOTHING_READ = Record()


def card_key_of(run_id: str) -> str:
    """The key of the one living message of a run, or of a plan."""
    return f"{run_id}:card"


def card_key(run: Run) -> str:
    """The key of a run's one living message."""
    return card_key_of(run.id)


def question_key(run: Run, number: int) -> str:
    """The key of a question's message."""
    return f"{run.id}:q{number}"


def blocker_key(run: Run, claim: int | None, blocker: Blocker) -> str:
    """The key of a blocker's message within one attempt."""
    return f"{run.id}:{claim}:blocker:{blocker.digest}"


def waiting_key(run: Run) -> str:
    """The key of the message that asks people what now (held, stuck, handed over)."""
    return f"{run.id}:{run.state}:{int(run.since * 1000)}:{len(run.done)}"


def letters(
    before: Run | None,
    after: Run,
    event: e.Event,
    *,
    head: str = "",
    worst: str = "",
    record: Record = _NOTHING_READ,
) -> Letters:
    """The messages that ``event`` calls for, in order.

    ``head`` is the ledger's hash after it; ``worst`` is how long the step that is asked for may take; ``record`` is
    what the store has of the run, which only an event that ``needs_record`` needs.
    """
    match event:
        case e.Started(at=at):
            return (_letter(after, card_key(after), card(after, at, head=head), pin=True), *_checks(after))
        case e.Entered() if asked_now(after) is Moment.AFTER:
            return _checks(after)
        case e.Asked(question=asked):
            key = question_key(after, asked.number)
            return (_letter(after, key, question(after, worst=worst)), *_texts(after, key, asked))
        case e.Reminded(number=number, level=level) if after.question:
            key, made = question_key(after, number), notices.reminder(after, after.question, level)
            return (_letter(after, f"{key}:reminder{level}", made, thread=key),)
        case e.StepFinished():
            return (*_finished(after, event, head, record), *_chart(after, before))
        case e.StepFailed() if alarms.opens_way_back(before, event):
            return (_in_channel(after, "criterion", alarms.criterion_met(after, event)), *_chart(after, before))
        case e.StepFailed() | e.Held() | e.HandedOver():
            return _asks_what_now(after, event.at)
        case e.BlockersSeen(blockers=blockers):
            known = {each.digest for each in before.blockers} if before else set()
            return tuple(_blocker(after, each) for each in blockers if each.digest not in known)
        case e.Granted() if before and before.question:
            return (_granted(after, event, before.question),)
        case e.Ended(at=at):
            return (*_told(after, event, head), *_reported(after, at, head, record))
    return _told(after, event, head)


def needs_record(event: e.Event) -> bool:
    """Is it an event whose letters need the ``record``: it opens the investigation, or ends the run?"""
    return _closes_the_way_back(event) or isinstance(event, e.Ended)


def _closes_the_way_back(event: e.Event) -> bool:
    return isinstance(event, e.StepFinished) and event.step is StepName.ANNOUNCE_ROLLED_BACK


def _told(run: Run, event: e.Event, head: str) -> Letters:
    """What is said as it happens, and asks nobody to answer this very message."""
    match event:
        case e.StatusPosted(at=at):
            return (_in_channel(run, "status", notices.status(run, at, head)), *_chart(run, run), *_reminded(run, at))
        case e.Nudged(at=at):
            return (_in_channel(run, "nudge", waiting.asks(run, at)),)
        case e.HealthJudged(judgement=Judgement.ALERT, reason=reason):
            return (_in_channel(run, "health", notices.worry(run, reason)),)
        case e.HealthJudged(judgement=judgement, reason=reason):
            return (_in_thread(run, "health", notices.verdict(judgement, reason)),)
        case e.DeadlineTold():
            return (_in_channel(run, "deadline", alarms.deadline(run, event)),)
        case e.HandoverOffered(offer=offer):
            return (_letter(run, handover.handover_key(run, offer), handover.offered(run, offer, offer.at)),)
        case e.Handed():
            return (_in_channel(run, "handed", handover.handed(run)),)
        case e.WindowExtended():
            return (_in_channel(run, "extended", notices.one_section(line(run, event))),)
        case e.Resumed(name=name):
            words = f"{Glyph.INFO} {said(name, 80)} lets the run go on with “{run.step.title}”."
            return (_in_channel(run, "resumed", notices.one_section(words)),)
    words = line(run, event)
    return (_in_thread(run, type(event).__name__.lower(), words),) if words else ()


def _checks(run: Run) -> Letters:
    """What people are asked to try, in the card's thread: it calls them by name."""
    moment = asked_now(run)
    return tuple(
        _letter(run, check_key(run, moment, number), check_asked(run, check, moment), thread=card_key(run))
        for number, check in enumerate(run.plan.manual)
        if moment is not None
    )


def _reminded(run: Run, at: float) -> Letters:
    """With every update of the watch those are called who have not tried it yet; or all, to look once more."""
    if asked_now(run) is not Moment.AFTER:
        return ()
    made = check_reminder(run, unanswered(run, Moment.AFTER), at)
    return (_letter(run, _key(run, "check-reminder"), made, thread=card_key(run)),)


def _texts(run: Run, thread: str, asked: Question) -> Letters:
    """The SQL itself, in the question's thread: nobody has to trust a file name."""
    shown = enumerate(asked.texts[:_MOST_TEXTS], 1)
    return tuple(
        _letter(run, f"{thread}:text{number}", notices.sql(asked, name, body), thread=thread)
        for number, (name, body) in shown
    )


def _asks_what_now(run: Run, at: float) -> Letters:
    """The question to people; what somebody set out to do by hand stands in its thread in full."""
    key = waiting_key(run)
    asking = _letter(run, key, waiting.asks(run, at))
    in_full = waiting.in_full(run)
    return (asking, _letter(run, f"{key}:full", in_full, thread=key)) if in_full else (asking,)


def _granted(run: Run, event: e.Granted, asked: Question) -> Letter:
    """The quorum's yes goes into the thread; going without asking is told to everybody."""
    if event.by is Licence.PEOPLE:
        return _in_thread(run, "granted", granted(run, asked))
    return _in_channel(run, "granted", alarms.without_asking(run, event))


def _finished(run: Run, event: e.StepFinished, head: str, record: Record) -> Letters:
    """Announcements are made in the channel; every finished step leaves its evidence in the thread."""
    thread = _letter(run, _key(run, "finished"), notices.evidence(run, event, head), thread=card_key(run))
    words = announcement(run, event.step, event.at)
    if not words:
        return (thread, *_statistics(run, event))
    told = (_in_channel(run, "announcement", notices.announced(run, words, event.step)), thread)
    if event.step is StepName.ANNOUNCE_COMPLETE:
        return (*told, *_completed(run))
    return (*told, *_investigation(run, event.at, head, record)) if _closes_the_way_back(event) else told


def _statistics(run: Run, event: e.StepFinished) -> Letters:
    """After the verification: gathering statistics where the migration has cost them."""
    if event.step is not StepName.VERIFY or not without_statistics(run):
        return ()
    return (_letter(run, analyze_key(run), analyze_offered(run), thread=card_key(run)),)


def _completed(run: Run) -> Letters:
    """Below the announcement: what was foretold against what it took.  In the card's thread: what is kept."""
    lines = predicted(run.plan.drill, run)
    below = (_letter(run, _key(run, "predicted"), notices.predicted(lines), thread=_key(run, "announcement")),)
    if not (left := kept(run)):
        return below if lines else ()
    hint = f"`/migrate cleanup {said(run.id, 60)}` removes it when it is no longer needed."
    words = f"{Glyph.INFO} Kept: {said('; '.join(left))}. {hint}"
    return (*(below if lines else ()), _in_thread(run, "kept", words))


def _reported(run: Run, now: float, head: str, record: Record) -> Letters:
    """The report of a run that has ended, unless nothing was done, or its investigation has it already."""
    if run.state in (State.ROLLED_BACK, State.CLEANED) or not work_began(run):
        return ()
    return report_letters(run, report_files(run, record, now, head), card_key(run), "report")


def work_began(run: Run) -> bool:
    """Was anything done beside announcing?"""
    return any(not each.step.value.startswith("announce_") for each in run.done)


def report_letters(run: Run, files: tuple[Attachment, ...], thread: str, what: str) -> Letters:
    """One upload for each file, below ``thread``."""
    return tuple(
        _letter(
            run,
            f"{run.id}:{what}:{file.name.rpartition('.')[2]}",
            b.payload(f"{Glyph.INFO} {said(file.title)}, {_FORMS[file.name.rpartition('.')[2]]}."),
            thread=thread,
            file=file,
        )
        for file in files
    )


_FORMS = {"md": "to read here", "html": "a page to open or print", "json": "for programs"}


def _investigation(run: Run, now: float, head: str, record: Record) -> Letters:
    """Opened in the channel; all that is known stands in its thread, the whole of it as a file."""
    key = _key(run, "investigation")
    known = investigation.thread(run, record)
    files = report_files(run, record, now, head)
    return (
        _letter(run, key, investigation.opened(run)),
        *(_letter(run, f"{key}:{part}", made, thread=key) for part, made in known.items()),
        *report_letters(run, files, key, f"{run.version}:investigation:report"),
    )


def _chart(run: Run, watched: Run | None) -> Letters:
    """What a watch has measured, as a picture in the thread: every 15 minutes, at its end, and with a breach."""
    if watched is None or watched.state is not State.WATCHING or not watched.samples:
        return ()
    file = chart_file(watched, f"{run.id}-{run.version}.png")
    made = b.payload(f"{Glyph.INFO} {said(file.title)}.")
    return (_letter(run, _key(run, "chart"), made, thread=card_key(run), file=file),) if file.text else ()


def _blocker(run: Run, blocker: Blocker) -> Letter:
    return _letter(run, blocker_key(run, run.claim, blocker), blocked(run, blocker))


def _key(run: Run, what: str) -> str:
    return f"{run.id}:{run.version}:{what}"


def _in_channel(run: Run, what: str, made: b.Payload) -> Letter:
    return _letter(run, _key(run, what), made)


def _in_thread(run: Run, what: str, words: str) -> Letter:
    return _letter(run, _key(run, what), notices.one_section(words), thread=card_key(run))


def _letter(
    run: Run, key: str, made: b.Payload, *, thread: str = "", pin: bool = False, file: Attachment | None = None
) -> Letter:
    payload = marked(run, made)
    return Letter(key=key, run_id=run.id, channel=run.plan.channel, payload=payload, thread=thread, pin=pin, file=file)
