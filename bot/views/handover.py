"""Handing a run over: one screen of state for both, and the message in which the receiver says yes."""

from bot.runbook import texts
from bot.runbook.run import Passing, Run
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, encode_value
from bot.views.text import escape, mention, said


def handover_key(run: Run, offer: Passing) -> str:
    """The key of the message that asks the receiver."""
    return f"{run.id}:handover:{offer.at * 1000:.0f}"


def handover_modal(run: Run, now: float, *, to: str = "") -> b.Payload:
    """Where the run stands, and to whom it goes; sent, it is offered to them."""
    element = {"type": "users_select"} | ({"initial_user": to} if to else {})
    hint = "An owner, an approver or somebody on call; whoever takes it does not approve it any more."
    drawn = [
        b.section(escape(texts.status(run, now))),
        *_open_question(run),
        b.field(Field.RECEIVER, "Hand it over to", element, hint=hint),
    ]
    return b.modal(Verb.HANDOVER, "Hand the run over", "Offer it", drawn, encode_value(ActionValue(run=run.id)))


def offered(run: Run, offer: Passing, now: float) -> b.Payload:
    """The offer with the same screen of state, and the button for the receiver."""
    head = (
        f"{Glyph.ATTENTION} {mention({offer.to})} {said(offer.by_name, 80)} hands “{said(run.plan.name, 75)}” on"
        f" {said(run.plan.target, 80)} over to you. Read where it stands, and press Accept."
    )
    state = escape(texts.status(run, now))
    note = "What you have approved of an open question is void then, and you approve nothing of this run any more."
    sure = b.confirm("Take the run?", "From now on it is yours: you are asked, and called.", "Accept")
    button = b.button(Verb.ACCEPT, "Accept", ActionValue(run=run.id), style="primary", confirm=sure)
    drawn = [b.section(head), b.section(state), *_open_question(run), b.context(note), *b.actions([button])]
    return b.payload(f"{head}\n{state}\n{note}", drawn)


def settled(run: Run, offer: Passing) -> b.Payload:
    """What became of the offer."""
    taken = bool(run.passed) and run.passed[-1].to == offer.to
    words = "took it" if taken else "was not given it: it was offered to somebody else, or the run is over"
    text = f"{Glyph.DONE if taken else Glyph.INFO} Hand-over to {said(offer.to_name, 80)}: they {words}."
    return b.payload(text, [b.section(text)])


def handed(run: Run) -> b.Payload:
    """Said in the channel: whose run it is now."""
    last = run.passed[-1]
    text = (
        f"{Glyph.INFO} {said(last.to_name, 80)} has taken “{said(run.plan.name, 75)}” over from"
        f" {said(last.by_name, 80)}, and executes it from now on."
    )
    return b.payload(text, [b.section(text)])


def _open_question(run: Run) -> list[b.Block]:
    """The question that is open, with who has said yes so far."""
    asked = run.question
    if asked is None:
        return []
    given = ", ".join(said(each.name, 80) for each in asked.approvals[:20]) or "nobody yet"
    return [b.section(f"*Open question:* “{escape(run.step.title)}”, approved by {given}.")]
