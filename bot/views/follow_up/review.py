"""The 48-hour review as people see it: the runbook's five boxes, what fills each, and the buttons."""

from collections.abc import Iterator

from bot.runbook.follow_up.follow_up import Compared, FollowUp, Review, Said, Stage
from bot.runbook.follow_up.review import BOXES
from bot.runbook.wording import one_line
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, encode_value
from bot.views.text import escape, mention, said

_SHOWN = 10  # anomalies


def boxes(f: FollowUp) -> tuple[tuple[bool, str, str], ...]:
    """Each of the runbook's boxes: is it ticked, its text, and what fills it."""
    review = f.review
    if review is None:
        return tuple((False, text, "") for text in BOXES)
    queries = review.why_no_queries or review.queries.words
    filled = (
        (True, review.errors.words),
        (True, review.times.words),
        (True, f"{queries}{_slower(review)}"),
        (f.tickets is not None, _tickets(f.tickets)),
        (f.tickets is not None and not f.wants_note, _anomalies(f)),
    )
    return tuple((done, text, words) for text, (done, words) in zip(BOXES, filled, strict=True))


def review_message(f: FollowUp) -> b.Payload:
    """The message with its buttons, for as long as something waits."""
    title = f"48-hour review: {said(f.plan.name, 75)} (run {said(f.run, 60)})"
    waits = f.stage is Stage.REVIEWING
    lines = [f"{Glyph.DONE if done else Glyph.ATTENTION} {text}\n{said(words, 500)}" for done, text, words in boxes(f)]
    call = f"{mention(f.asked)} Was there a spike in support tickets since the migration?" if waits else _over(f)
    what = f"“Before” is what was {said(f.review.yardstick, 200)}." if f.review else ""
    found = [one_line(each, 250) for each in f.review.anomalies[:_SHOWN]] if f.review else []
    drawn = [
        b.header(title),
        *(b.section(each) for each in lines),
        *([b.code(found)] if found else []),
        b.section(call),
        *b.actions(list(_buttons(f)) if waits else []),
        b.context(what or "–"),
    ]
    return b.payload("\n".join([title, *lines, call]), drawn)


def note_modal(f: FollowUp, verb: Verb) -> b.Payload:
    """The words behind a spike, or behind what was found."""
    label = "What do people report?" if verb is Verb.SPIKE else "What was found, and what becomes of it?"
    element = {"type": "plain_text_input", "multiline": True, "max_length": 500}
    drawn = [
        b.section(f"48-hour review of {said(f.plan.name, 75)}, run {said(f.run, 60)}. It goes into the record."),
        b.field(Field.NOTE, label, element),
    ]
    title = "Spike in tickets" if verb is Verb.SPIKE else "Anomalies"
    return b.modal(verb, title, "Record", drawn, encode_value(ActionValue(run=f.id)))


def _buttons(f: FollowUp) -> Iterator[b.Block]:
    value = ActionValue(run=f.id)
    if f.tickets is None:
        yield b.button(Verb.NO_SPIKE, "No spike", value, style="primary")
        yield b.button(Verb.SPIKE, "A spike…", value)
    if f.wants_note:
        yield b.button(Verb.ANOMALIES, "Note anomalies…", value)


def _over(f: FollowUp) -> str:
    return f"{Glyph.INFO} Closed: {escape(f.reason)}."


def _slower(review: Review) -> str:
    return f"; {len(review.slower)} statements take at least twice as long" if review.slower else ""


def _tickets(answer: Said | None) -> str:
    if answer is None:
        return "waits for an answer"
    words = f": {answer.note}" if answer.note else ""
    return f"{one_line(answer.name, 80)} says {'there was a spike' if answer.spike else 'there was none'}{words}"


def _anomalies(f: FollowUp) -> str:
    if f.note is not None:
        return f"{one_line(f.note.name, 80)}: {f.note.note}"
    seen = len(f.review.anomalies) if f.review else 0
    if f.wants_note:
        return f"{seen} were seen; a person has to say a word about them" if seen else "the spike waits for a word"
    return "none was seen"


def figures(review: Review) -> tuple[Compared, ...]:
    """What was compared."""
    return (review.errors, review.times, review.queries)
