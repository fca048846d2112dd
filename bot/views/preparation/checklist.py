"""The checklist as a modal: all 28 items in their five groups, what shows each, and the fields to tick many at once."""

from collections.abc import Iterator

from bot.runbook.preparation.checklist import LINES, Group, Item, Line
from bot.runbook.preparation.preparation import EVIDENCE_LENGTH, Preparation, Stage
from bot.runbook.preparation.standing import Standing, Status, checklist, proof_of, tickable
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, encode_value
from bot.views.limits import view_problems
from bot.views.preparation.card import shown_count
from bot.views.preparation.unmet import whose_turn
from bot.views.text import escape, moment, said

SIGNS = {
    Standing.PROVEN: Glyph.DONE,
    Standing.TICKED: Glyph.DONE,
    Standing.WAIVED: Glyph.ATTENTION,
    Standing.FAILED: Glyph.FAILED,
    Standing.OPEN: Glyph.INFO,
}
_WHEN = "{date_short_pretty} {time}"


def checklist_modal(p: Preparation) -> b.Payload:
    """The whole checklist; sending it ticks what was chosen, with the evidence that was given."""
    made = (_modal(p, most) for most in (4, 2, 1))
    return next(each for each in made if most_fit(each))


def most_fit(view: b.Payload) -> bool:
    """Does Slack take it?"""
    return not view_problems(view)


def _modal(p: Preparation, most: int) -> b.Payload:
    drawn = [
        b.section(f"*{said(p.draft.plan.name, 75)}* on {said(p.draft.plan.target, 80)}: {shown_count(p)}"),
        *_groups(p, most),
    ]
    fields = [] if p.final or p.stage is Stage.STARTING else [*_ticking(p), *_more(p)]
    value = encode_value(ActionValue(run=p.id))
    made = b.modal(Verb.TICK, "Checklist", "Tick", [*drawn, *fields], value)
    return made if any(each["type"] == "input" for each in fields) else b.to_read(made)


def _groups(p: Preparation, most: int) -> Iterator[b.Block]:
    found = checklist(p)
    for number, group in enumerate(Group, 1):
        statuses = [each for each in found if LINES[each.item].group is group]
        met = sum(each.standing.met for each in statuses)
        yield b.header(f"{number}. {group}: {met} of {len(statuses)}")
        for each in statuses:
            yield b.section(entry(p, each, most))


def entry(p: Preparation, status: Status, most: int) -> str:
    """One item: how it stands in a word, its text, what shows it, who and when."""
    waits = ", a waiver waits for a second person" if status.waiting else ""
    head = f"{SIGNS[status.standing]} *{status.standing}*{waits} · {LINES[status.item].text}"
    why = [f"• {said(each, 200)}" for each in status.why[:most]]
    left = len(status.why) - most
    why += [f"• … and {left} more"] if left > 0 else []
    return "\n".join((head, *why, *_by(p, status)))


def _by(p: Preparation, status: Status) -> list[str]:
    """Who said it when; of what is not met, whose turn it is."""
    waiver, tick = p.waiver(status.item), p.tick(status.item)
    match status.standing:
        case Standing.WAIVED if waiver:
            return [
                f"• by {said(waiver.name, 80)} {moment(waiver.at, _WHEN)}, agreed {moment(waiver.second_at, _WHEN)}"
            ]
        case Standing.TICKED if tick:
            return [f"• {moment(tick.at, _WHEN)}"]
        case Standing.PROVEN:
            proof = proof_of(p, status.item)
            return [f"• by the bot {moment(proof.at, _WHEN)}"] if proof and proof.at else []
    return [f"• {whose_turn(p, status)}"]


def _ticking(p: Preparation) -> list[b.Block]:
    """The fields for many ticks at once; none where nothing is left for people to tick."""
    lines = [LINES[each.item] for each in checklist(p) if _may_be_ticked(p, each)]
    if not lines:
        return []
    element = {
        "type": "multi_static_select",
        "options": [b.option(_label(line), line.item.value) for line in lines],
        "placeholder": b.words("Choose what is true", 150),
    }
    evidence = {"type": "plain_text_input", "max_length": EVIDENCE_LENGTH, "multiline": True}
    return [
        b.divider(),
        b.field(Field.ITEMS, "Tick these items", element),
        b.field(Field.EVIDENCE, "Evidence", evidence, hint="A link, or a note of what was seen; it is kept with you."),
    ]


def _may_be_ticked(p: Preparation, status: Status) -> bool:
    return not status.standing.met and tickable(p, status.item)


def _label(line: Line) -> str:
    """An option's 75 characters: the start of the item's text."""
    text = escape(line.text)
    return text if len(text) <= 75 else text[:74].rstrip() + "…"


def _more(p: Preparation) -> list[b.Block]:
    if not waivable(p):
        return []
    return b.actions([b.button(Verb.WAIVE, "Waive an item…", ActionValue(run=p.id))])


def waivable(p: Preparation) -> tuple[Item, ...]:
    """What may be set aside: everything that is not met."""
    return tuple(each.item for each in checklist(p) if not each.standing.met)


def waive_modal(p: Preparation) -> b.Payload:
    """Set one item aside, with a reason; somebody else has to agree."""
    options = [b.option(_label(LINES[item]), item.value) for item in waivable(p)]
    note = (
        f"*{said(p.draft.plan.name, 75)}*: the item does not count once an approver or owner other than you has agreed."
        " The waiver and its reason are shown on the card and in the report."
    )
    reason = {"type": "plain_text_input", "max_length": EVIDENCE_LENGTH, "multiline": True}
    drawn = [
        b.section(note),
        b.field(Field.ITEM, "Item", {"type": "static_select", "options": options}),
        b.field(Field.REASON, "Why is it not needed this time?", reason),
    ]
    return b.modal(Verb.WAIVE, "Waive an item", "Ask for it", drawn, encode_value(ActionValue(run=p.id)))
