"""What is said in the channel at the runbook's moments before the start, and what becomes of those messages."""

from bot.runbook.preparation import texts
from bot.runbook.preparation.checklist import LINES
from bot.runbook.preparation.gate import missing, unmet
from bot.runbook.preparation.preparation import Moment, Preparation, Stage
from bot.runbook.wording import duration
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import Verb
from bot.views.preparation import parts
from bot.views.preparation.card import shown_count
from bot.views.preparation.offers import buttons, everybody_said_go
from bot.views.preparation.unmet import by_whom, short_of
from bot.views.text import escape, mention, moment, said

_ROOM = 7000  # characters of one message's lists, below limits.MESSAGE_TOTAL


def key(p: Preparation, at: Moment) -> str:
    """The key of a moment's message: one for each window."""
    return f"{p.id}:{at}:{p.draft.window.start:.0f}"


def announced(p: Preparation, now: float, template: str) -> b.Payload:
    """T-24h: the announcement, from the target's own template or ours."""
    words = texts.announcement(p, now, template)
    marked = escape("\n".join(line.rstrip() for line in words.replace("`", "ˋ").splitlines()))
    note = f"In your time: {parts.window(p).splitlines()[0]} · plan {said(p.id, 60)}"
    return b.payload(marked, [*(b.section(each) for each in b.packed(marked.splitlines())), b.context(note)])


def final_check(p: Preparation) -> b.Payload:
    """T-1h: what is still missing, and who is needed; drawn again with every change until T-30m."""
    name = _name(p)
    if p.final or Moment.FINAL_CHECK not in p.came:
        return _message(f"{Glyph.INFO} The final check of {name}: {_elsewhere(p)}.", [], [])
    if not unmet(p):
        head = f"{Glyph.DONE} Final check of {name}: all {len(LINES)} items of the checklist are shown."
        return _message(head, [], b.actions(buttons(p, (Verb.CHECKLIST,))))
    begins = f"it begins {moment(p.draft.window.start)}"
    head = f"{Glyph.ATTENTION} {_called(p)} Final check of {name}, {begins}: {shown_count(p)}. Still missing:"
    return _message(head, _lacking(p), b.actions(buttons(p, (Verb.CHECKLIST, Verb.REVIEW, Verb.DRILL, Verb.POSTPONE))))


def go_no_go(p: Preparation) -> b.Payload:
    """T-30m: the question to the team, by name; drawn again with every answer."""
    name, begins = _name(p), moment(p.draft.window.start)
    team = "\n".join(parts.team(p))
    if p.final or p.stage in (Stage.MISSED, Stage.STARTING) or Moment.GO_NO_GO not in p.came:
        return _message(f"{Glyph.INFO} Go or No-go for {name} is no longer asked.", [team], [])
    if everybody_said_go(p):
        head = f"{Glyph.DONE} Everybody has said Go to {name}. It begins {begins}."
        return _message(head, [team], b.actions(buttons(p, (Verb.NO_GO, Verb.CHECKLIST))))
    waiting = {each.id for each in p.draft.team if not ((answer := p.answer(each.id)) and answer.go)}
    head = (
        f"{Glyph.ATTENTION} {mention(waiting)} Go or No-go for {name}? It begins {begins};"
        " without all Go by then it is not started."
    )
    gaps = ["Still missing:", *_lacking(p)] if unmet(p) else [f"Checklist: {shown_count(p)}."]
    shown = b.actions(buttons(p, (Verb.GO, Verb.NO_GO, Verb.CHECKLIST, Verb.REVIEW, Verb.POSTPONE)))
    return _message(head, [team, f"Rehearsal: {parts.rehearsal(p)}", *gaps], shown)


def start_call(p: Preparation) -> b.Payload:
    """T-0: it is time, or exactly what keeps it."""
    name = _name(p)
    if p.run:
        return _message(f"{Glyph.DONE} {name} has started as run {said(p.run, 60)}.", [], [])
    if p.stage is not Stage.OPEN or Moment.START not in p.came:
        return _message(f"{Glyph.INFO} {name}: {_elsewhere(p)}.", [], [])
    executor = mention({p.draft.executor.id})
    if gaps := missing(p):
        head = f"{Glyph.ATTENTION} {executor} It is time for {name}, and it cannot start yet:"
        lines = [f"• {said(each, 300)}" for each in gaps]
        return _message(head, lines, b.actions(buttons(p, (Verb.CHECKLIST, Verb.REVIEW, Verb.POSTPONE))))
    until = moment(p.draft.window.end)
    head = f"{Glyph.ATTENTION} {executor} It is time: press Start to begin {name}. The window ends {until}."
    return _message(head, [], b.actions(buttons(p, (Verb.START, Verb.NO_GO, Verb.POSTPONE))))


def _elsewhere(p: Preparation) -> str:
    return {
        Stage.STARTING: "it is being started",
        Stage.CANCELLED: "the plan was cancelled",
        Stage.STARTED: "it has started",
        Stage.MISSED: "its window went by",
    }.get(p.stage, "its window was moved")


def missed_key(p: Preparation) -> str:
    """The key of the message that says so."""
    return f"{p.id}:missed:{p.draft.window.start:.0f}"


def missed(p: Preparation, lacking: tuple[str, ...]) -> b.Payload:
    """It was not started; exactly what was missing."""
    needed = mention({p.author, *(each.id for each in p.draft.team)})
    head = f"{Glyph.REFUSED} {needed} {_name(p)} is not started: something was missing when it was time."
    lines = [f"• {said(each, 300)}" for each in lacking]
    then = "Postpone it to a new window (what is shown stays), or cancel it."
    return _message(head, [*lines, then], b.actions(buttons(p)))


def no_longer_missed(p: Preparation) -> b.Payload:
    """What the message above becomes when people have decided."""
    then = "cancelled" if p.stage is Stage.CANCELLED else f"moved to {moment(p.draft.window.start, parts.WHEN)}"
    return _message(f"{Glyph.INFO} {_name(p)} was not started in its window, and was {then}.", [], [])


def nudge(p: Preparation, now: float) -> b.Payload:
    """A missed plan waits for its people."""
    needed = mention({p.author, p.draft.executor.id})
    head = (
        f"{Glyph.ATTENTION} {needed} {_name(p)} was not started {duration(now - p.since)} ago: postpone or cancel it."
    )
    return _message(head, [], b.actions(buttons(p)))


def start_refused(p: Preparation, lacking: tuple[str, ...]) -> b.Payload:
    """The last look found something."""
    head = f"{Glyph.REFUSED} {mention({p.draft.executor.id})} {_name(p)} did not start; the last look found:"
    return _message(head, [f"• {said(each, 300)}" for each in lacking], b.actions(buttons(p)))


def _name(p: Preparation) -> str:
    return f"“{said(p.draft.plan.name, 75)}” on {said(p.draft.plan.target, 80)}"


def _called(p: Preparation) -> str:
    return mention({p.draft.executor.id, p.author})


def _lacking(p: Preparation) -> list[str]:
    """What is not met, under who can show it."""
    lines: list[str] = []
    for whose, items in by_whom(p).items():
        lines += [f"_{whose}:_", *(f"• {short_of(each)}" for each in items)]
    return lines


def _message(head: str, lines: list[str], buttons_: list[b.Block]) -> b.Payload:
    """A message of a head and its lines, as many as there is room for."""
    kept, room = [], _ROOM
    for line in lines:
        room -= len(line) + 1
        if room > 0:
            kept.append(line)
    if len(kept) < len(lines):
        kept.append(f"… and {len(lines) - len(kept)} more lines; the checklist has all of it.")
    text = "\n".join((head, *kept))
    return b.payload(text, [*(b.section(each) for each in b.packed([head, *kept])), *buttons_])
