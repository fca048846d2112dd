"""The modals: starting a run, giving a reason, typing the word.  Fields are named in ``bot.views.ids``."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.runbook.digest import short
from bot.runbook.run import Question, Risk, Run
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, choice, encode_value
from bot.views.question import title
from bot.views.text import escape, said

_MOST_OPTIONS = 100  # /block-elements/multi-select-menu
_REASON_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class TargetChoice:
    """A target that a run may be started on, with the names of its migration files in order."""

    name: str
    files: tuple[str, ...] = ()


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
            b.field(Field.NAME, "Name", _line("add case priority", 75)),
            _target(targets, now),
            b.field(Field.PURPOSE, "Purpose", _words("What it is for; announced in the channel", 1000)),
            _files(now, first=now is targets[0]),
            _pick(
                Field.DOWNTIME, "Downtime", (("Yes, the services are stopped", "yes"), ("No, zero downtime", "no")), 0
            ),
            b.field(Field.MINUTES, "Estimated downtime in minutes", _minutes()),
            _pick(Field.RISK, "Risk", [(risk.value.capitalize(), risk.value) for risk in Risk], 1),
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
    """Go back to the state before; ``loses`` says what is lost by it."""
    loss = f"\n{Glyph.ATTENTION} {said(loses, 500)}" if loses else ""
    note = f"The way back asks for approval before it changes anything, and is then announced.{loss}"
    return _reason(run, Verb.ROLLBACK, "Roll back", "Roll back", note, "Why go back?")


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
        b.code(asked.lines, 1500),
        b.field(Field.WORD, "Name of the database", _line("", 300), hint=f"Type {word} to approve."),
    ]
    return b.modal(Verb.APPROVE, "Approve this step", "Approve", drawn, encode_value(value))


def _reason(
    run: Run, verb: Verb, name: str, submit: str, note: str, label: str, value: ActionValue | None = None
) -> b.Payload:
    """What the modals that want a few words have in common."""
    drawn = [
        b.section(f"{said(run.plan.name, 100)} on {said(run.plan.target, 80)}\n{note}"),
        b.field(Field.REASON, label, _words("One or two sentences; everybody can read them", _REASON_LENGTH)),
    ]
    return b.modal(verb, name, submit, drawn, encode_value(value or ActionValue(run=run.id)))


def _target(targets: Sequence[TargetChoice], now: TargetChoice) -> b.Block:
    options = [b.option(said(target.name, 75), choice(target.name)) for target in targets[:_MOST_OPTIONS]]
    initial = b.option(said(now.name, 75), choice(now.name))
    element = {"type": "static_select", "options": options} | (
        {"initial_option": initial} if initial in options else {}
    )
    return b.field(Field.TARGET, "Target", element, live=True)


def _files(target: TargetChoice, *, first: bool) -> b.Block:
    """The newest files of the target's folder; its block is named anew for another target (see ``ids``)."""
    if not target.files:
        return b.section(f"{Glyph.ATTENTION} {said(target.name, 80)} has no migration files in its folder.")
    shown = target.files[-_MOST_OPTIONS:]
    left = len(target.files) - len(shown)
    hint = "They are applied in the order of their names." + (f" The {left} oldest are not listed." if left else "")
    element = {
        "type": "multi_static_select",
        "options": [b.option(_name(name), choice(name)) for name in shown],
        "placeholder": b.words("Choose the files to apply", 150),
    }
    suffix = "" if first else f":{hashlib.sha256(target.name.encode()).hexdigest()[:8]}"
    return b.field(Field.FILES, "Migration files", element, hint=hint, block_id=f"{Field.FILES}{suffix}")


def _name(name: str) -> str:
    """A file's name for an option: both ends of it when it is too long."""
    return escape(name) if len(escape(name)) <= 75 else f"{said(name, 30)} {said(name[-20:], 20)}"


def _pick(name: Field, label: str, choices: Sequence[tuple[str, str]], initial: int) -> b.Block:
    options = [b.option(words, value) for words, value in choices]
    return b.field(name, label, {"type": "static_select", "options": options, "initial_option": options[initial]})


def _line(placeholder: str, most: int) -> b.Block:
    made: b.Block = {"type": "plain_text_input", "max_length": most}
    return made | ({"placeholder": b.words(placeholder, 150)} if placeholder else {})


def _words(placeholder: str, most: int) -> b.Block:
    return {**_line(placeholder, most), "multiline": True}


def _minutes() -> b.Block:
    return {
        "type": "number_input",
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": "1440",
        "initial_value": "20",
    }
