"""The one living message of a plan: where its preparation stands, and who can do what next."""

from bot.runbook.digest import short
from bot.runbook.preparation.checklist import CHECKLIST
from bot.runbook.preparation.gate import missing, unmet
from bot.runbook.preparation.preparation import Moment, Preparation, Stage
from bot.runbook.preparation.texts import MOMENTS, downtime, risk_level, timeline
from bot.runbook.wording import duration
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.limits import message_problems
from bot.views.preparation import parts
from bot.views.preparation.offers import buttons, offered
from bot.views.preparation.unmet import by_whom, short_of
from bot.views.text import escape, mention, moment, said

_STAGES = {
    Stage.OPEN: ("being prepared", Glyph.INFO),
    Stage.STARTING: ("starting", Glyph.INFO),
    Stage.MISSED: ("not started in its window", Glyph.ATTENTION),
    Stage.STARTED: ("started", Glyph.DONE),
    Stage.CANCELLED: ("cancelled", Glyph.INFO),
}
_DETAIL = (28, 10, 5, 2)  # lines written out of each list, until the message fits


def plan_card_key(p: Preparation) -> str:
    """The key of the one living message."""
    return f"{p.id}:card"


def plan_card(p: Preparation, now: float, *, head: str = "") -> b.Payload:
    """The card as of ``now``; ``head`` is the ledger's hash."""
    words = _in_words(p, now, head)
    made = (b.payload(words, _drawn(p, now, head, most)) for most in _DETAIL)
    return next((each for each in made if not message_problems(each)), b.payload(words))


def stage(p: Preparation) -> tuple[str, Glyph]:
    """Where the plan stands in a word, with its sign."""
    if p.stage is Stage.OPEN and not missing(p):
        return ("ready to start", Glyph.DONE)
    return _STAGES[p.stage]


def shown_count(p: Preparation) -> str:
    """The checklist in a figure."""
    total = len(CHECKLIST)
    return f"{total - len(unmet(p))} of {total} shown"


def _drawn(p: Preparation, now: float, head: str, most: int) -> list[b.Block]:
    word, sign = stage(p)
    return [
        b.header(f"{sign} {said(p.draft.plan.name, 60)}: {word}"),
        b.section(_situation(p, now)),
        *b.facts(_facts(p)),
        *_checklist(p, most),
        b.section("\n".join(("*Risk level:* " + parts.risk(p, most)[0], *parts.risk(p, most)[1:]))),
        b.section(f"*Rehearsal:* {parts.rehearsal(p)}"),
        b.section("\n".join(("*Team Assignments*", *parts.team(p)))),
        b.section(_timeline(p)),
        b.context(_footer(p, head)),
        *b.actions(buttons(p)),
    ]


def _situation(p: Preparation, now: float) -> str:
    """What is going on, and who is needed."""
    plan, start = p.draft.plan, p.draft.window.start
    purpose = f"*Purpose:* {said(plan.purpose)}"
    match p.stage:
        case Stage.CANCELLED:
            return f"Cancelled: {said(p.reason)}\n{purpose}"
        case Stage.STARTED:
            return f"It has become run {said(p.run, 60)}, whose own card shows how it goes.\n{purpose}"
        case Stage.STARTING:
            return f"{said(p.starter_name, 80)} pressed Start; everything is looked at once more.\n{purpose}"
        case Stage.MISSED:
            needed = mention({p.author, p.draft.executor.id})
            return f"T-0 went by.\n*Needed:* {needed} – postpone it to a new window, or cancel it.\n{purpose}"
    ahead = f"It begins in {duration(start - now)}." if now < start else "Its window is open."
    return f"{ahead}\n{needed_line(p)}\n{purpose}"


def needed_line(p: Preparation) -> str:
    """Who is needed next, and for what."""
    if unmet(p):
        return "*Needed:* what the checklist below names, by those it names."
    waiting = {each.id for each in p.draft.team if not ((said_so := p.answer(each.id)) and said_so.go)}
    if Moment.GO_NO_GO not in p.came:
        return f"*Needed:* nobody; the team is asked for Go or No-go {moment(p.due(Moment.GO_NO_GO), parts.WHEN)}."
    if waiting:
        return f"*Needed:* {mention(waiting)} – say Go or No-go."
    if Moment.START not in p.came:
        return f"*Needed:* nobody before T-0, {moment(p.draft.window.start)}."
    return f"*Needed:* {mention({p.draft.executor.id})} – press Start."


def _facts(p: Preparation) -> list[tuple[str, str]]:
    plan = p.draft.plan
    deadline = "not determined yet" if plan.rollback_deadline is None else f"within {duration(plan.rollback_deadline)}"
    found = [
        ("Target", f"{said(plan.target, 80)} (database {said(plan.database, 80)})"),
        ("Window", parts.window(p)),
        ("Risk Level", risk_level(p)),
        ("Estimated Downtime", downtime(p)),
        ("Rollback Deadline", deadline),
        ("Affected features", said(p.draft.features, 300) or "none named yet"),
        ("Migrations", _files(plan.migrations)),
        ("DOWN scripts", _files(plan.down) if plan.down else "none: the way back is the copy or the backup"),
    ]
    envelope = [("Rollback envelope", said(plan.envelope.words, 200))] if plan.envelope else []
    told = [("Stakeholders", said(p.draft.stakeholders, 300))] if p.draft.stakeholders else []
    return [*found, *envelope, *told]


def _files(names: tuple[str, ...]) -> str:
    return "\n".join(parts.cut([said(each, 120) for each in names], 8))


def _checklist(p: Preparation, most: int) -> list[b.Block]:
    """The figure, what is not met under who can show it, and what was waived by whom."""
    lines = [f"*Checklist: {shown_count(p)}*"]
    for whose, items in by_whom(p).items():
        lines += [f"_{whose}:_", *parts.cut([f"• {short_of(each)}" for each in items], most)]
    waived = [each.words for each in p.waivers if each.agreed and p.waiver(each.item) == each]
    if waived:
        lines += [f"{Glyph.ATTENTION} *Waived:*", *parts.cut([f"• {said(each, 300)}" for each in waived], most)]
    return [b.section(each) for each in b.packed(lines)]


def _timeline(p: Preparation) -> str:
    """The template's timeline; what has been taken care of says so."""
    lines = [
        f"• *{each.value}:* {text}, {moment(p.due(each), parts.WHEN)}{f' {Glyph.DONE} done' if each in p.came else ''}"
        for each, text in MOMENTS.items()
    ]
    steps = "T+0 backup · T+5 stop services (if required) · T+8 migration · T+18 verify · T+23 restart · T+28 monitor"
    return "\n".join(("*Timeline*", *lines, f"• {steps} · T+58 complete, send announcement"))


def _footer(p: Preparation, head: str) -> str:
    record = f" · record {short(head)}" if head else ""
    return f"Plan {said(p.id, 60)} by {said(p.author_name, 80)}{record} · details in this thread"


def _in_words(p: Preparation, now: float, head: str) -> str:
    """The filled template and where the preparation stands, for screen readers and old clients."""
    word, sign = stage(p)
    template = [escape(line.replace("`", "ˋ")) for line in timeline(p).splitlines()]
    gaps = [f"• {said(each, 160)}" for each in missing(p)] if not p.final else []
    can = ", ".join(f"/migrate {verb.value.replace('_', '-')} {p.id}" for verb in offered(p))
    lines = [
        f"{sign} Plan {said(p.id, 60)} “{said(p.draft.plan.name, 75)}” on {said(p.draft.plan.target, 80)}: {word}.",
        _situation(p, now).replace("*", ""),
        *template,
        f"Checklist: {shown_count(p)}.{' Missing:' if gaps else ''}",
        *parts.cut(gaps, 12),
        f"You can: {can}." if can else "",
        f"{_footer(p, head)}.",
    ]
    return "\n".join(line for line in lines if line)
