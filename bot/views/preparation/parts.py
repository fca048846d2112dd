"""The parts of a plan's card, each also used elsewhere: its window, risk, rehearsal, team."""

from bot.runbook.drill import DrillReport
from bot.runbook.preparation.preparation import Member, Preparation
from bot.runbook.preparation.texts import risk_level
from bot.runbook.risk import RiskReport, StatementReport
from bot.runbook.run import Risk
from bot.runbook.rungs import TITLES
from bot.runbook.wording import counted, duration
from bot.runbook.wording import moment as in_zone
from bot.views.blocks import Glyph
from bot.views.text import escape, moment, said

WHEN = "{date_short_pretty} {time}"
_KILO = 1024.0


def window(p: Preparation) -> str:
    """From when to when: in the reader's own zone, and in the plan's."""
    planned = p.draft.window
    own = f"{moment(planned.start, WHEN)} to {moment(planned.end, WHEN)}"
    return f"{own}\n{escape(in_zone(planned.start, planned.zone))}, {duration(planned.end - planned.start)}"


def team(p: Preparation) -> tuple[str, ...]:
    """The template's three assignments, each with its Go or No-go."""
    draft = p.draft
    roles = (
        ("Migration Executor", draft.executor),
        ("On-call Engineer", draft.on_call),
        ("Backup Support", draft.backup_support),
    )
    return tuple(f"{role}: {said(member.name, 80)} – {_stands(p, member)}" for role, member in roles)


def _stands(p: Preparation, member: Member) -> str:
    answer = p.answer(member.id)
    if answer is None:
        return "has not said Go yet"
    if answer.go:
        return f"{Glyph.DONE} Go {moment(answer.at)}"
    return f"{Glyph.FAILED} No-go {moment(answer.at)}: {said(answer.reason, 200)}"


def risk(p: Preparation, most: int) -> tuple[str, ...]:
    """The level with its reasons, and each dangerous statement in a line; ``most`` of each are written out."""
    found = p.risk
    if found is None:
        return (f"{risk_level(p)}, as said by people; the bot is still looking at the SQL.",)
    grave = [each for each in found.statements if each.level is Risk.HIGH or each.destroys]
    lines = (*(f"• {said(each, 200)}" for each in found.reasons), *_notes(found))
    dangers = [f"{Glyph.ATTENTION} {danger(each)}" for each in grave]
    return (f"*{risk_level(p)}*", *cut(lines, most), *cut(dangers, most))


def _notes(found: RiskReport) -> tuple[str, ...]:
    return tuple(f"• {said(each, 200)}" for each in found.notes)


def danger(statement: StatementReport) -> str:
    """One dangerous statement, short."""
    why = "; ".join(statement.destroys or statement.reasons)
    lock = f", {said(statement.lock, 40)} on {said(statement.relation, 60)}" if statement.lock else ""
    return f"{said(statement.head, 60)} ({said(statement.file, 60)}:{statement.line}){lock}: {said(why, 160)}"


def rehearsal(p: Preparation) -> str:
    """What the rehearsal measured, or what is only estimated."""
    drill = p.fresh_drill()
    if p.drilling is not None:
        return f"under way since {moment(p.drilling)}; its figures come in this thread"
    if drill is None:
        old = " The one before was of other files." if p.drill else ""
        return f"not rehearsed yet; {_estimate(p)}.{old}"
    if not drill.ok:
        return f"{Glyph.FAILED} it failed {moment(drill.at, WHEN)}: {said(drill.problem, 300)}"
    return f"measured {moment(drill.at, WHEN)}: {figures(drill)}"


def _estimate(p: Preparation) -> str:
    if p.risk is None or p.risk.downtime is None:
        return "there is no figure for how long it takes"
    return f"estimated, reads or writes wait {duration(p.risk.downtime)} ({said(p.risk.downtime_basis, 160)})"


def figures(drill: DrillReport) -> str:
    """The measured figures in one line."""
    rewrites = f"rewrites {said(', '.join(drill.rewrites), 160)}" if drill.rewrites else "no table is rewritten"
    down = f"DOWN {drill.down_seconds:.1f} s" if drill.down_seconds is not None else ""
    back = [f"{TITLES[each.rung].lower()} {each.seconds:.1f} s" for each in drill.back if each.seconds is not None]
    applied = f"{counted(len(drill.statements), 'statement')} in {drill.apply_seconds:.1f} s"
    found = (applied, rewrites, f"WAL {size(drill.wal)}", down, *(escape(each) for each in back))
    return ", ".join(each for each in found if each)


def size(number: int) -> str:
    """Bytes as people read them."""
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(amount) < _KILO:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= _KILO
    return f"{amount:.1f} TB"


def cut(lines: tuple[str, ...] | list[str], most: int) -> tuple[str, ...]:
    """The first lines; how many are left out is said."""
    left = len(lines) - most
    return (*lines[:most], f"… and {left} more") if left > 0 else tuple(lines)
