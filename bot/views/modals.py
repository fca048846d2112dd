"""The modals: starting a run, giving a reason, typing the word.  Fields are named in ``bot.views.ids``."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.runbook.digest import short
from bot.runbook.run import Question, Risk, Run
from bot.runbook.rungs import Envelope
from bot.runbook.wording import utc
from bot.views import blocks as b
from bot.views import ways
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, choice, encode_value
from bot.views.question import before_all, title
from bot.views.text import escape, said

_MOST_OPTIONS = 100  # /block-elements/multi-select-menu
_REASON_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class TargetChoice:
    """A target that a run may be started on, with the names of its migration files in order.

    ``envelope`` and ``deadline`` (seconds) are proposed for its runs, and can be changed.
    """

    name: str
    files: tuple[str, ...] = ()
    envelope: Envelope | None = None
    deadline: float | None = None


def start_modal(targets: Sequence[TargetChoice], *, chosen: str = "", metadata: str = "") -> b.Payload:
    """The form for a new run; redraw it with ``chosen`` when another target is picked (``Field.TARGET`` dispatches).

    Raises ``ValueError`` when there is no target to choose.
    """
    if not targets:
        raise ValueError("There is no target to migrate. Add one to the settings.")
    now = next((target for target in targets if chosen in (target.name, choice(target.name))), targets[0])
    return b.modal(
        Verb.START,
        "Start a migration",
        "Start",
        [
            b.field(Field.NAME, "Name", line("add case priority", 75)),
            target(targets, now),
            b.field(Field.PURPOSE, "Purpose", words("What it is for; announced in the channel", 1000)),
            files(now, first=now is targets[0]),
            pick(
                Field.DOWNTIME, "Downtime", (("Yes, the services are stopped", "yes"), ("No, zero downtime", "no")), 0
            ),
            b.field(Field.MINUTES, "Estimated downtime in minutes", _minutes()),
            pick(Field.RISK, "Risk", [(risk.value.capitalize(), risk.value) for risk in Risk], 1),
            *agreed(now, first=now is targets[0]),
        ],
        metadata,
    )


def hold_modal(run: Run) -> b.Payload:
    """Anyone may stop the run before its next step, with a reason."""
    note = f"The run stops before its next step. “{run.step.title}”, if it is running, ends first."
    return _reason(run, Verb.HOLD, "Hold the migration", "Hold", note, "Why should it stop?")


def abort_modal(run: Run) -> b.Payload:
    """End the run without the migration."""
    note = "The run ends without the migration. Services that were stopped are started again first, after approval."
    return _reason(run, Verb.ABORT, "Abort the migration", "Abort", note, "Why is it aborted?")


def rollback_modal(run: Run, *, loses: str = "") -> b.Payload:
    """Go back to the state before: what will be asked, and what happens first; ``loses`` says what is lost by it."""
    loss = f"\n{Glyph.ATTENTION} {said(loses, 500)}" if loses else ""
    first = f"“{run.step.title}” is running and ends first. " if run.claim and not run.step.interruptible else ""
    note = (
        f"{first}The bot then looks at every way back and asks for the one that loses the least, with its downtime and"
        " its loss; another one can be picked there. Nothing is changed before approvers have said yes to it: where a"
        f" database is replaced, by typing its name.{loss}"
    )
    return _reason(run, Verb.ROLLBACK, "Roll back", "Roll back", note, "Why go back?")


def extend_modal(run: Run, end: float) -> b.Payload:
    """More time than the window has; ``number`` of its value is the end it was drawn for."""
    drawn = [
        b.section(
            f"{said(run.plan.name, 100)} on {said(run.plan.target, 80)}\nThe window ends {utc(end)}. The run goes on by"
            " itself when the rest of it, and the way back, fit."
        ),
        b.field(Field.MINUTES, "How many minutes more?", {**_minutes(), "initial_value": "30"}),
        b.field(Field.REASON, "Why?", words("One or two sentences; everybody can read them", _REASON_LENGTH)),
    ]
    value = ActionValue(run=run.id, number=int(end))
    return b.modal(Verb.EXTEND, "Extend the window", "Extend", drawn, encode_value(value))


def takeover_modal(run: Run) -> b.Payload:
    """A named person takes the run into their hands."""
    note = "The bot does nothing more until you close the run or give it back with Resume. You are asked how it stands."
    return _reason(run, Verb.TAKEOVER, "Take over", "Take over", note, "What are you going to do?")


def close_modal(run: Run) -> b.Payload:
    """The keeper says how it ended."""
    note = "Your words are announced in the channel, and the run is over."
    return _reason(run, Verb.CLOSE, "Close the migration", "Close", note, "How did it end?")


def reject_modal(run: Run, asked: Question) -> b.Payload:
    """A no to one question, with its reason."""
    value = ActionValue(run=run.id, number=asked.number, digest=asked.digest)
    note = f"“{title(run, asked)}” will not be done. The no and its reason are recorded and shown."
    return _reason(run, Verb.REJECT, "Reject this step", "Reject", note, "Why not?", value)


def word_modal(run: Run, asked: Question) -> b.Payload:
    """The gravest steps are approved by typing the name of the database."""
    value = ActionValue(run=run.id, number=asked.number, digest=asked.digest)
    word = said(asked.word or run.plan.database, 200)
    drawn = [
        b.section(
            f"*{title(run, asked)}* on {said(run.plan.target, 80)}, exactly as shown (digest {short(asked.digest)})."
        ),
        *(b.section(line) for line in (*before_all(run, asked), *ways.consent(run, asked))),
        b.code(asked.lines, 1500),
        b.field(Field.WORD, "Name of the database", line("", 300), hint=f"Type {word} to approve."),
    ]
    return b.modal(Verb.APPROVE, "Approve this step", "Approve", drawn, encode_value(value))


def _reason(
    run: Run, verb: Verb, name: str, submit: str, note: str, label: str, value: ActionValue | None = None
) -> b.Payload:
    """What the modals that want a few words have in common."""
    drawn = [
        b.section(f"{said(run.plan.name, 100)} on {said(run.plan.target, 80)}\n{note}"),
        b.field(Field.REASON, label, words("One or two sentences; everybody can read them", _REASON_LENGTH)),
    ]
    return b.modal(verb, name, submit, drawn, encode_value(value or ActionValue(run=run.id)))


def target(targets: Sequence[TargetChoice], now: TargetChoice) -> b.Block:
    options = [b.option(said(target.name, 75), choice(target.name)) for target in targets[:_MOST_OPTIONS]]
    initial = b.option(said(now.name, 75), choice(now.name))
    element = {"type": "static_select", "options": options} | (
        {"initial_option": initial} if initial in options else {}
    )
    return b.field(Field.TARGET, "Target", element, live=True)


def files(target: TargetChoice, *, first: bool, chosen: Sequence[str] = ()) -> b.Block:
    """The newest files of the target's folder; its block is named anew for another target (see ``ids``)."""
    if not target.files:
        return b.section(f"{Glyph.ATTENTION} {said(target.name, 80)} has no migration files in its folder.")
    shown = target.files[-_MOST_OPTIONS:]
    left = len(target.files) - len(shown)
    hint = "They are applied in the order of their names." + (f" The {left} oldest are not listed." if left else "")
    picked = [b.option(_name(name), choice(name)) for name in shown if name in chosen]
    element = {
        "type": "multi_static_select",
        "options": [b.option(_name(name), choice(name)) for name in shown],
        "placeholder": b.words("Choose the files to apply", 150),
    } | ({"initial_options": picked} if picked else {})
    return b.field(Field.FILES, "Migration files", element, hint=hint, block_id=_block(Field.FILES, target, first))


def _block(name: Field, target: TargetChoice, first: bool) -> str:
    """A block's name: another for every target but the first, so that nothing entered before stays in it."""
    return name.value if first else f"{name}:{hashlib.sha256(target.name.encode()).hexdigest()[:8]}"


def agreed(target: TargetChoice, *, first: bool) -> list[b.Block]:
    """What is agreed on beforehand about going back; each may stay empty."""
    return agreement(target.envelope, target.deadline, lambda name: _block(name, target, first))


def agreement(
    envelope: Envelope | None, deadline: float | None, block: Callable[[Field], str] = lambda name: name.value
) -> list[b.Block]:
    """The same fields with what they start with; ``block`` names their blocks."""
    together = "Approving the migration signs the envelope: inside it, a proven breach goes back without asking."
    fields: tuple[tuple[Field, str, str, float | None], ...] = (
        (Field.DEADLINE, "Rollback deadline in hours", _DEADLINE, deadline / 3600 if deadline else None),
        (Field.ENVELOPE_ROWS, "Rollback envelope: most rows lost", together, envelope.rows if envelope else None),
        (Field.ENVELOPE_MINUTES, "Rollback envelope: longest way back in minutes", _LONGEST, _minutes_of(envelope)),
    )
    return [
        b.field(name, label, _amount(name, value), hint=hint, block_id=block(name), optional=True)
        for name, label, hint, value in fields
    ]


_DEADLINE = "Counted from the end of the migration; people are reminded before it passes."
_LONGEST = "Fill in both numbers of the envelope, or neither."


def _minutes_of(envelope: Envelope | None) -> float | None:
    return envelope.minutes if envelope else None


def _amount(name: Field, initial: float | None) -> b.Block:
    """A number from 0, of rows a whole one, with its proposed value where there is one."""
    made: b.Block = {"type": "number_input", "is_decimal_allowed": name is not Field.ENVELOPE_ROWS, "min_value": "0"}
    return made if initial is None else made | {"initial_value": f"{initial:.10g}"}


def _name(name: str) -> str:
    """A file's name for an option: both ends of it when it is too long."""
    return escape(name) if len(escape(name)) <= 75 else f"{said(name, 30)} {said(name[-20:], 20)}"


def pick(name: Field, label: str, choices: Sequence[tuple[str, str]], initial: int, *, hint: str = "") -> b.Block:
    """One of a few."""
    options = [b.option(text, value) for text, value in choices]
    element = {"type": "static_select", "options": options, "initial_option": options[initial]}
    return b.field(name, label, element, hint=hint)


def line(placeholder: str, most: int) -> b.Block:
    made: b.Block = {"type": "plain_text_input", "max_length": most}
    return made | ({"placeholder": b.words(placeholder, 150)} if placeholder else {})


def words(placeholder: str, most: int) -> b.Block:
    return {**line(placeholder, most), "multiline": True}


def _minutes() -> b.Block:
    return {
        "type": "number_input",
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": "1440",
        "initial_value": "20",
    }
