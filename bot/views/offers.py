"""Which buttons make sense in the present state of a run: exactly those that ``decide`` would take."""

from bot.runbook.fixes import MEANING, TITLES
from bot.runbook.paths import offered_fixes, way_out
from bot.runbook.refusals import Refusal
from bot.runbook.run import Run, State
from bot.runbook.steps import Route
from bot.views.blocks import Block, button, confirm
from bot.views.ids import ActionValue, Verb

_LABELS = {
    Verb.RESUME: "Resume",
    Verb.RETRY: "Retry",
    Verb.HOLD: "Hold",
    Verb.ROLLBACK: "Roll back",
    Verb.ABORT: "Abort",
    Verb.TAKEOVER: "Take over",
    Verb.CLOSE: "Close",
    Verb.EXTEND: "Extend the window",
    Verb.LOGS: "Logs",
}
_ONWARD = (Verb.EXTEND, Verb.RESUME, Verb.RETRY)
_WAITING = (State.HELD, State.STUCK, State.HANDED_OVER)


def offered(run: Run) -> tuple[Verb, ...]:
    """The verbs that may be asked for now, in the order of the buttons; nothing but logs once the run is over."""
    if run.final:
        return (Verb.LOGS,)
    found = {
        Verb.EXTEND: _out_of_time(run),
        Verb.RESUME: run.state in (State.HELD, State.HANDED_OVER) and not _out_of_time(run),
        Verb.RETRY: run.state is State.STUCK,
        Verb.HOLD: _can_hold(run),
        Verb.ROLLBACK: _can_go_back(run),
        Verb.ABORT: _can_end(run),
        Verb.TAKEOVER: run.state not in (State.WORKING, State.PREPARING) and run.route is not Route.CLOSE,
        Verb.CLOSE: run.state is State.HANDED_OVER,
        Verb.LOGS: True,
    }
    return tuple(verb for verb, makes_sense in found.items() if makes_sense)


def buttons(run: Run, verbs: tuple[Verb, ...] | None = None) -> list[Block]:
    """The buttons for what is offered now (or only those of ``verbs`` that are)."""
    value = ActionValue(run=run.id)
    return [_button(run, verb, value) for verb in offered(run) if verbs is None or verb in verbs]


def fixes(run: Run) -> list[Block]:
    """A button for each thing that may help the step that failed."""
    return [
        button(
            Verb.FIX, TITLES[fix], ActionValue(run=run.id, digest=fix), which=fix,
            confirm=confirm(f"{TITLES[fix]}?", MEANING[fix], "Yes"),
        )
        for fix in offered_fixes(run)
    ]  # fmt: skip


def _button(run: Run, verb: Verb, value: ActionValue) -> Block:
    style = "danger" if verb is Verb.ROLLBACK else "primary" if verb in _ONWARD else ""
    sure = {
        Verb.RESUME: f"The run goes on with “{run.step.title}”.",
        Verb.RETRY: f"“{run.step.title}” is tried again; what is destructive asks for approval first.",
    }.get(verb)
    label = _LABELS[verb]
    return button(verb, label, value, style=style, confirm=confirm(f"{label}?", sure, label) if sure else None)


def _out_of_time(run: Run) -> bool:
    """The bot itself holds the run, until it has more time."""
    return run.state is State.HELD and run.hold is not None and run.hold.window


def _can_hold(run: Run) -> bool:
    something_left = run.route is Route.FORWARD and run.position + 1 < len(run.steps)
    return something_left and run.state not in _WAITING and run.hold is None


def _can_go_back(run: Run) -> bool:
    return run.backed_up and run.route not in (Route.ROLLBACK, Route.CLOSE) and not run.rollback_wanted


def _can_end(run: Run) -> bool:
    try:
        way_out(run)
    except Refusal:
        return False
    return True
