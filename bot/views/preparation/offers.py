"""Which buttons make sense on a plan's messages: those that the core would take from somebody."""

from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.gate import missing
from bot.runbook.preparation.preparation import Moment, Preparation, Stage
from bot.runbook.preparation.standing import status
from bot.views.blocks import Block, button, confirm
from bot.views.ids import ActionValue, Verb

LABELS = {
    Verb.START: "Start…",
    Verb.GO: "Go",
    Verb.NO_GO: "No-go…",
    Verb.CHECKLIST: "Checklist…",
    Verb.REVIEW: "Review…",
    Verb.DRILL: "Drill",
    Verb.EDIT: "Edit…",
    Verb.POSTPONE: "Postpone…",
    Verb.CANCEL: "Cancel…",
}
_STYLES = {Verb.START: "primary", Verb.GO: "primary", Verb.NO_GO: "danger", Verb.CANCEL: "danger"}


def offered(p: Preparation) -> tuple[Verb, ...]:
    """The verbs that may be asked for now, in the order of the buttons."""
    if p.stage is Stage.CANCELLED:
        return ()
    if p.stage in (Stage.STARTED, Stage.STARTING):
        return (Verb.CHECKLIST,)
    if p.stage is Stage.MISSED:
        return (Verb.POSTPONE, Verb.CHECKLIST, Verb.CANCEL)
    found = {
        Verb.START: Moment.START in p.came and not missing(p),
        Verb.GO: Moment.GO_NO_GO in p.came and not everybody_said_go(p),
        Verb.NO_GO: Moment.GO_NO_GO in p.came,
        Verb.CHECKLIST: True,
        Verb.REVIEW: bool(p.files) and not status(p, Item.REVIEW).standing.met,
        Verb.DRILL: bool(p.files) and p.drilling is None and p.fresh_drill() is None,
        Verb.EDIT: True,
        Verb.POSTPONE: True,
        Verb.CANCEL: True,
    }
    return tuple(verb for verb, makes_sense in found.items() if makes_sense)


def everybody_said_go(p: Preparation) -> bool:
    """Is every Go there, and about the plan as it is now?"""
    return all((answer := p.answer(each.id)) is not None and answer.go for each in p.draft.team)


def buttons(p: Preparation, verbs: tuple[Verb, ...] | None = None) -> list[Block]:
    """The buttons for what is offered now (or only those of ``verbs`` that are)."""
    return [_button(p, verb) for verb in offered(p) if verbs is None or verb in verbs]


def _button(p: Preparation, verb: Verb) -> Block:
    sure = {
        Verb.DRILL: "The bot copies the database aside, applies the migration there, measures it, and drops the copy.",
        Verb.GO: "You say Go to the plan as it is now; when its files, window or team change, you are asked again.",
    }.get(verb)
    label = LABELS[verb]
    ask = confirm(f"{label}?", sure, label) if sure else None
    return button(verb, label, ActionValue(run=p.id), style=_STYLES.get(verb, ""), confirm=ask)
