"""The modals of a plan: making and editing it, moving its window, cancelling it, saying No-go, starting it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.runbook.preparation.preparation import EVIDENCE_LENGTH, Draft, Preparation, Window
from bot.runbook.run import Risk
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, choice, encode_value
from bot.views.modals import TargetChoice, agreed, agreement, files, line, pick, target, words
from bot.views.preparation import parts
from bot.views.text import said

_DAY, _HOUR = 86400.0, 3600.0
_LONGEST = 1440  # minutes: a window is at most a day
_USUAL = 120  # minutes: the runbook's hour, and an hour to go back
_MOST_OPTIONS = 100
_WHOLE = {"type": "number_input", "is_decimal_allowed": False}


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What the form starts with."""

    person: str = ""  # proposed as executor
    draft: Draft | None = None


def plan_modal(targets: Sequence[TargetChoice], now: float, *, chosen: str = "", person: str = "") -> b.Payload:
    """The form for a new plan; redraw it with ``chosen`` when another target is picked.

    Raises ``ValueError`` when there is no target to choose.
    """
    if not targets:
        raise ValueError("There is no target to migrate. Add one to the settings.")
    at = next((each for each in targets if chosen in (each.name, choice(each.name))), targets[0])
    first = at is targets[0]
    window = Window(start=_tomorrow(now), end=_tomorrow(now) + _USUAL * 60)
    drawn = [
        b.field(Field.NAME, "Name", line("add case priority", 75)),
        target(targets, at),
        b.field(Field.PURPOSE, "Purpose", words("What it is for; announced in the channel", 1000)),
        files(at, first=first),
        b.section(f"{Glyph.INFO} DOWN scripts (`NAME.down.sql` beside every chosen file) are found by themselves."),
        *_when(window),
        *_about(Filled(person=person)),
        *agreed(at, first=first),
    ]
    return b.modal(Verb.PLAN, "Plan a migration", "Plan", drawn, "")


def edit_modal(p: Preparation, at: TargetChoice) -> b.Payload:
    """The same form, filled in with the plan as it is; its target and window stay."""
    plan = p.draft.plan
    fixed = (
        f"On {said(plan.target, 80)}, {parts.window(p)}.\n{Glyph.INFO} Postpone moves the window."
        " When the files or the people change, what was shown about them before no longer counts."
    )
    drawn = [
        b.section(fixed),
        b.field(Field.NAME, "Name", _kept(line("", 75), plan.name)),
        b.field(Field.PURPOSE, "Purpose", _kept(words("", 1000), plan.purpose)),
        files(at, first=True, chosen=plan.migrations),
        *_about(Filled(draft=p.draft)),
        *agreement(plan.envelope, plan.rollback_deadline),
    ]
    return b.modal(Verb.EDIT, "Edit the plan", "Save", drawn, encode_value(ActionValue(run=p.id)))


def postpone_modal(p: Preparation, now: float) -> b.Payload:
    """A new window, with the reason that is announced."""
    window = p.draft.window
    proposed = max(window.start, now) + _DAY
    drawn = [
        _which(p, "The announcement, the final check and the go/no-go come anew before the new window."),
        *_when(Window(start=proposed, end=proposed + window.end - window.start)),
        _reason("Why is it moved?"),
    ]
    return b.modal(Verb.POSTPONE, "Postpone the plan", "Postpone", drawn, encode_value(ActionValue(run=p.id)))


def cancel_modal(p: Preparation) -> b.Payload:
    """The plan is given up."""
    drawn = [_which(p, "The plan is over; this is announced in the channel."), _reason("Why is it cancelled?")]
    return b.modal(Verb.CANCEL, "Cancel the plan", "Cancel it", drawn, encode_value(ActionValue(run=p.id)))


def no_go_modal(p: Preparation) -> b.Payload:
    """No-go, with its reason."""
    note = "It does not start before you have said Go after all. Everybody sees your reason."
    drawn = [_which(p, note), _reason("Why not?")]
    return b.modal(Verb.NO_GO, "No-go", "No-go", drawn, encode_value(ActionValue(run=p.id)))


def begin_modal(p: Preparation) -> b.Payload:
    """Confirm the start of the one plan that is ready."""
    drawn = [b.section(_title(p)), *_happens(p)]
    return b.modal(Verb.START, "Start the migration", "Start", drawn, encode_value(ActionValue(run=p.id)))


def choose_modal(plans: Sequence[Preparation]) -> b.Payload:
    """Choose among several plans that are ready."""
    options = [
        b.option(f"{said(p.draft.plan.name, 24)} · {said(p.draft.plan.target, 10)}"[:75], p.id)
        for p in plans[:_MOST_OPTIONS]
    ]
    listed = [f"• {_title(p)}, plan {said(p.id, 60)}: {parts.window(p)}" for p in plans[:20]]
    drawn = [
        b.section("More than one plan is ready to start:"),
        *(b.section(each) for each in listed),
        b.field(Field.PLAN, "Plan", {"type": "static_select", "options": options}),
    ]
    return b.modal(Verb.START, "Start a migration", "Start", drawn, "")


def _happens(p: Preparation) -> list[b.Block]:
    """What pressing Start does, so that nobody is surprised."""
    plan = p.draft.plan
    stop = f"stops {said(', '.join(plan.services), 300)}" if plan.downtime and plan.services else "stops nothing"
    waived = f"\n{Glyph.ATTENTION} Waived: {said('; '.join(p.to_run().waived), 600)}" if p.to_run().waived else ""
    return [
        b.section(f"*Window:* {parts.window(p)}"),
        b.section(
            "The bot looks once more at everything it can prove; if something is missing, it says so and nothing"
            f" begins. Then the run announces the maintenance, makes the backup, {stop}, applies the migration,"
            f" verifies it and watches; each grave step asks for approval first.{waived}"
        ),
        b.section(f"*Rehearsal:* {parts.rehearsal(p)}"),
    ]


def _which(p: Preparation, note: str) -> b.Block:
    return b.section(f"{_title(p)}, {parts.window(p)}\n{note}")


def _title(p: Preparation) -> str:
    return f"*{said(p.draft.plan.name, 75)}* on {said(p.draft.plan.target, 80)}"


def _reason(label: str) -> b.Block:
    return b.field(Field.REASON, label, words("One or two sentences; everybody can read them", EVIDENCE_LENGTH))


def _when(window: Window) -> list[b.Block]:
    """The window: its start in the person's own zone, as Slack shows it, and its length."""
    start = {"type": "datetimepicker", "initial_date_time": int(window.start)}
    minutes = str(round((window.end - window.start) / 60))
    length = {**_WHOLE, "min_value": "1", "max_value": str(_LONGEST), "initial_value": minutes}
    hint = "In your own time zone. A day ahead leaves time for the announcement at T-24h."
    return [
        b.field(Field.WINDOW, "Start of the maintenance window", start, hint=hint),
        b.field(Field.LENGTH, "Length of the window in minutes", length, hint="Leave room for the way back."),
    ]


def _about(filled: Filled) -> list[b.Block]:
    """Downtime, risk, people, and who is told."""
    draft = filled.draft
    plan = draft.plan if draft else None
    downtime = (("Yes, the services are stopped", "yes"), ("No, zero downtime", "no"))
    minutes = str(plan.downtime_minutes) if plan and plan.downtime else "20"
    risk = [(each.value.capitalize(), each.value) for each in Risk]
    floor = "What you think; when the bot finds a higher one in the SQL, that counts."
    return [
        pick(Field.DOWNTIME, "Downtime", downtime, 0 if plan is None or plan.downtime else 1),
        b.field(
            Field.MINUTES,
            "Estimated downtime in minutes",
            {**_WHOLE, "min_value": "0", "max_value": "1440", "initial_value": minutes},
        ),
        pick(Field.RISK, "Risk", risk, list(Risk).index(plan.risk) if plan else 1, hint=floor),
        *_people(filled),
        b.field(
            Field.FEATURES,
            "Affected features",
            _kept(words("What users may notice", 1000), draft.features if draft else ""),
            optional=True,
        ),
        b.field(
            Field.STAKEHOLDERS,
            "Stakeholders",
            _kept(line("Who has to know", 300), draft.stakeholders if draft else ""),
            optional=True,
        ),
        pick(
            Field.REHEARSE,
            "Rehearsal",
            (("By the bot an hour before, at the latest", "yes"), ("Only when somebody presses Drill", "no")),
            0 if draft is None or draft.rehearse else 1,
        ),
    ]


def _people(filled: Filled) -> list[b.Block]:
    draft = filled.draft
    named = (
        (Field.EXECUTOR, "Migration Executor", draft.executor.id if draft else filled.person),
        (Field.ON_CALL, "On-call Engineer", draft.on_call.id if draft else ""),
        (Field.SUPPORT, "Backup Support", draft.backup_support.id if draft else ""),
    )
    return [
        b.field(name, label, {"type": "users_select"} | ({"initial_user": person} if person else {}))
        for name, label, person in named
    ]


def _kept(element: b.Block, text: str) -> b.Block:
    """The element with what it holds already, within what it may hold."""
    return element | ({"initial_value": text[: element["max_length"]]} if text else {})


def _tomorrow(now: float) -> float:
    """The next full hour that is more than a day away, so that the announcement at T-24h is in time."""
    return (now // _HOUR + 25) * _HOUR
