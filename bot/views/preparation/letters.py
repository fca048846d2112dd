"""Which event of a plan makes which message.  Pure, so a replay makes the same letters with the same keys.

The card is ``<plan>:card``, a moment's message ``<plan>:<moment>:<window>``, a waiver ``<plan>:waiver:…``; everything
else is named by the version it belongs to.
"""

from collections.abc import Callable, Iterator, Sequence

from bot.ports import Attachment, Letter
from bot.runbook.digest import short
from bot.runbook.preparation import events as e
from bot.runbook.preparation import texts
from bot.runbook.preparation.gate import without_go
from bot.runbook.preparation.preparation import Answer, Moment, Preparation, Stage
from bot.runbook.wording import one_line
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.preparation import asked, moments
from bot.views.preparation.card import plan_card, plan_card_key
from bot.views.preparation.lines import line
from bot.views.text import escape, mention, said

Letters = tuple[Letter, ...]
Redraw = tuple[str, b.Payload]
_DRAWN: dict[Moment, Callable[[Preparation], b.Payload]] = {
    Moment.FINAL_CHECK: moments.final_check,
    Moment.GO_NO_GO: moments.go_no_go,
    Moment.START: moments.start_call,
}


def plan_letters(
    before: Preparation | None,
    after: Preparation,
    event: e.Event,
    *,
    now: float,
    head: str = "",
    template: str = "",
    read: Sequence[tuple[str, str]] = (),
) -> Letters:
    """The messages that ``event`` calls for, in order.

    ``template`` is the target's own announcement; ``read`` are the files as read, which only ``Proved`` needs.
    """
    match event:
        case e.Planned():
            return (_letter(after, plan_card_key(after), plan_card(after, now, head=head), pin=True),)
        case e.Proved():
            return (*_line(before, after, event), *_differs(after, event), *_sql(before, after, read))
        case e.Postponed(reason=reason, name=name):
            return (_told(after, "postponed", texts.postponed(after, f"{name}: {reason}")),)
        case e.PlanCancelled(name=name):
            return (_told(after, "cancelled", f"{texts.cancelled(after)}\nBy: {one_line(name, 80)}"),)
        case e.FellBack():
            return (_in_channel(after, "fellback", asked.fell_back(after, event)),)
        case e.WaiverAsked(waiver=waiver):
            return (_letter(after, asked.waiver_key(after, waiver), asked.waiver(after, waiver)),)
        case e.DrillEnded():
            return (_letter(after, _key(after, "drill"), asked.drill_ended(after, event), thread=plan_card_key(after)),)
        case e.Answered(answer=answer) if not answer.go:
            return (_in_channel(after, "nogo", _no_go(after, answer)),)
        case e.MomentCame():
            return (*_moment(after, event, now, template), *_line(before, after, event))
        case e.StartRefused(missing=lacking):
            return (_in_channel(after, "refused", moments.start_refused(after, lacking)),)
        case e.PlanMissed(missing=lacking):
            return (_letter(after, moments.missed_key(after), moments.missed(after, lacking)),)
        case e.PlanNudged():
            return (_in_channel(after, "nudge", moments.nudge(after, now)),)
    return _line(before, after, event)


def plan_redraws(
    before: Preparation | None, after: Preparation, event: e.Event, *, now: float, head: str = ""
) -> tuple[Redraw, ...]:
    """Which messages ``event`` makes out of date, by key, and how they look now: the card always."""
    if before is None:
        return ()
    return (
        (plan_card_key(after), plan_card(after, now, head=head)),
        *_waivers(before, after),
        *_asked_before(before, after),
    )


def _waivers(before: Preparation, after: Preparation) -> Iterator[Redraw]:
    """Waivers that waited, and wait no longer."""
    for each in before.waivers:
        if not each.agreed and (after.waiver(each.item) != each or after.final):
            yield asked.waiver_key(after, each), asked.waiver(after, each)


def _asked_before(before: Preparation, after: Preparation) -> Iterator[Redraw]:
    """The moments' messages: kept up to date until the next moment, then as they stood."""
    moved = before.draft.window != after.draft.window
    latest = before.came[-1] if before.came else None
    for each, draw in _DRAWN.items():
        if each in before.came and (moved or each is latest or each is not Moment.FINAL_CHECK):
            yield moments.key(before, each), draw(after)
    if before.stage is Stage.MISSED and after.stage is not Stage.MISSED:
        yield moments.missed_key(before), moments.no_longer_missed(after)


def _moment(p: Preparation, event: e.MomentCame, now: float, template: str) -> Letters:
    """What is said at a moment; nothing of one that was skipped, and no call to start where it is missed anyway."""
    if event.skipped or (event.moment is Moment.START and without_go(p)):
        return ()
    draw = _DRAWN.get(event.moment)
    made = draw(p) if draw else moments.announced(p, now, template)
    return (_letter(p, moments.key(p, event.moment), made),)


def _no_go(p: Preparation, answer: Answer) -> b.Payload:
    """A No-go is everybody's business."""
    called = mention({p.author, p.draft.executor.id} - {answer.person})
    text = (
        f"{Glyph.FAILED} {called} No-go for “{said(p.draft.plan.name, 75)}” from {said(answer.name, 80)}:"
        f" {said(answer.reason, 500)}"
    )
    return b.payload(text, [b.section(text)])


def _sql(before: Preparation | None, after: Preparation, read: Sequence[tuple[str, str]]) -> Letters:
    """The SQL in full, once for each version of the files, so that a review needs no access to the folder."""
    if not read or (before is not None and before.files == after.files):
        return ()
    key = f"{after.id}:sql:{after.files[:16]}"
    text = "\n\n".join(f"-- {name}\n{body.rstrip()}" for name, body in read) + "\n"
    file = Attachment(name=f"{after.id}-{after.files[:16]}.sql", title=f"SQL of {after.id}", text=text)
    beside = b.payload(f"{Glyph.INFO} The SQL as the bot has read it, digest {short(after.files)}.")
    return (_letter(after, key, beside, thread=plan_card_key(after), file=file),)


def _differs(after: Preparation, event: e.Proved) -> Letters:
    """How the files differ from those looked at before."""
    if not event.changed:
        return ()
    head = f"{Glyph.ATTENTION} The files have changed since the bot looked at them before:"
    text = "\n".join((head, *(f"• {said(each, 200)}" for each in event.changed[:15])))
    made = b.payload(text, [b.section(head), b.code(event.changed, 6000)])
    return (_letter(after, _key(after, "changed"), made, thread=plan_card_key(after)),)


def _line(before: Preparation | None, after: Preparation, event: e.Event) -> Letters:
    words = line(before, after, event)
    if not words:
        return ()
    made = b.payload(words, [b.section(words)])
    return (_letter(after, _key(after, type(event).__name__.lower()), made, thread=plan_card_key(after)),)


def _told(p: Preparation, what: str, words: str) -> Letter:
    marked = escape(words.replace("`", "ˋ"))
    return _in_channel(p, what, b.payload(marked, [b.section(marked), b.context(f"Plan {said(p.id, 60)}")]))


def _in_channel(p: Preparation, what: str, made: b.Payload) -> Letter:
    return _letter(p, _key(p, what), made)


def _key(p: Preparation, what: str) -> str:
    return f"{p.id}:{p.version}:{what}"


def _letter(
    p: Preparation, key: str, made: b.Payload, *, thread: str = "", pin: bool = False, file: Attachment | None = None
) -> Letter:
    channel = p.draft.plan.channel
    return Letter(key=key, run_id=p.id, channel=channel, payload=made, thread=thread, pin=pin, file=file)
