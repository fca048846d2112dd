"""What a plan's thread says of an event, in one line."""

from collections.abc import Iterable

from bot.runbook.digest import short
from bot.runbook.preparation import events as e
from bot.runbook.preparation.checklist import LINES, Item
from bot.runbook.preparation.preparation import Draft, Preparation
from bot.runbook.preparation.standing import checklist
from bot.runbook.wording import duration
from bot.views.blocks import Glyph
from bot.views.preparation.card import shown_count
from bot.views.preparation.parts import cut
from bot.views.text import said

_PUNCTUAL = 60.0  # seconds; the clock looks every few


def line(before: Preparation | None, after: Preparation, event: e.Event) -> str:
    """The line of an event; empty for those that are shown elsewhere or change nothing that people see."""
    match event:
        case e.Edited(name=name):
            changed = ", ".join(_differences(before.draft, event.draft)) if before else ""
            return f"{Glyph.INFO} {said(name, 80)} edited the plan: {changed or 'nothing that is shown'}."
        case e.Proved():
            return _proved(before, after, event)
        case e.Ticked(ticks=ticks) if ticks and ticks[0].item is Item.REVIEW:
            own = ticks[0]
            what = f"reviewed the SQL, digest {short(own.basis)}: {said(own.evidence)}"
            return f"{Glyph.DONE} {said(own.name, 80)} {what}"
        case e.Ticked(ticks=ticks) if ticks:
            names = _texts(each.item for each in ticks)
            return f"{Glyph.DONE} {said(ticks[0].name, 80)} ticked {names} – {said(ticks[0].evidence, 500)}"
        case e.Unticked(item=item, name=name, reason=reason):
            return f"{Glyph.INFO} {said(name, 80)} took the tick of “{LINES[item].text}” back: {said(reason)}"
        case e.WaiverAgreed(item=item, name=name):
            return f"{Glyph.ATTENTION} {said(name, 80)} agreed: “{LINES[item].text}” is waived."
        case e.SqlShown(name=name, files=files):
            return f"{Glyph.INFO} {said(name, 80)} was shown the SQL, digest {short(files)}."
    return _of_time(event)


def _of_time(event: e.Event) -> str:
    match event:
        case e.DrillAsked(name=name):
            return f"{Glyph.INFO} A rehearsal was asked for by {said(name, 80)}; its figures come here."
        case e.Answered(answer=answer) if answer.go:
            return f"{Glyph.DONE} {said(answer.name, 80)} said Go."
        case e.MomentCame(moment=moment, skipped=skipped) if skipped:
            return f"{Glyph.INFO} {moment} was skipped: {said(skipped)}."
        case e.MomentCame(moment=moment, late=late) if late > _PUNCTUAL:
            return f"{Glyph.INFO} {moment} came {duration(late)} late: the bot was not running, or the plan was new."
        case e.StartAsked(name=name):
            return f"{Glyph.INFO} {said(name, 80)} pressed Start; the bot looks at everything once more."
        case e.RunBegan(run=run):
            return f"{Glyph.DONE} The plan has become run {said(run, 60)}."
    return ""


def _proved(before: Preparation | None, after: Preparation, event: e.Proved) -> str:
    """The first look in a figure, later ones only where something changed."""
    if before is None or not before.files:
        return f"{Glyph.INFO} The bot has read the files, digest {short(event.files)}: {shown_count(after)}."
    was = {each.item: each.standing.met for each in checklist(before)}
    now = checklist(after)
    lost = _texts(each.item for each in now if was[each.item] and not each.standing.met)
    won = _texts(each.item for each in now if not was[each.item] and each.standing.met)
    told = (f"no longer shown: {lost}" if lost else "", f"now shown: {won}" if won else "")
    said_so = "; ".join(each for each in told if each)
    return f"{Glyph.ATTENTION if lost else Glyph.DONE} The bot looked again, {said_so}." if said_so else ""


def _texts(items: Iterable[Item]) -> str:
    names = [f"“{LINES[each].text}”" for each in items]
    return ", ".join(cut(names, 8))


def _differences(before: Draft, after: Draft) -> list[str]:
    """What an edit changed, in the form's own words."""
    one, two = before.plan, after.plan
    changed = {
        "name": one.name != two.name,
        "purpose": one.purpose != two.purpose,
        "migrations": (one.migrations, one.down) != (two.migrations, two.down),
        "downtime": (one.downtime, one.downtime_minutes) != (two.downtime, two.downtime_minutes),
        "risk": one.risk != two.risk,
        "rollback deadline": one.rollback_deadline != two.rollback_deadline,
        "rollback envelope": one.envelope != two.envelope,
        "team": before.team != after.team,
        "affected features": before.features != after.features,
        "stakeholders": before.stakeholders != after.stakeholders,
        "rehearsal": before.rehearse != after.rehearse,
    }
    return [name for name, differs in changed.items() if differs]
