"""What a person asks to see: App Home, the list of runs, where one stands, its log, the help."""

from collections.abc import Mapping, Sequence

from bot.runbook import texts
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.run import Run
from bot.runbook.wording import duration
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.card import glyph, needed_line
from bot.views.offers import buttons
from bot.views.plan import tasks
from bot.views.preparation.listing import home_part
from bot.views.text import escape, moment, said

_LIVE, _PAST, _LISTED = 5, 20, 20
_ROOM = 9000  # characters of one message, with a margin (see limits.MESSAGE_TOTAL)
_WHEN = "{date_short_pretty} {time}"
_SIGNS = {"complete": "done", "in_progress": "now", "error": "failed", "pending": "to come"}


def home(runs: Sequence[Run], now: float, plans: Sequence[Preparation] = ()) -> b.Payload:
    """The Home tab (``views.publish``): live runs with their steps and buttons, what is planned, then past ones."""
    live = [run for run in runs if not run.final][:_LIVE]
    past = [run for run in runs if run.final][:_PAST]
    how = "Type `/migrate plan` in the channel to plan one, and `/migrate start` to begin it."
    drawn = [b.header("Database migrations"), b.section(how), b.header("Running now")]
    for run in live:
        drawn += [*_live(run, now), b.divider()]
    if not live:
        drawn.append(b.section(f"{Glyph.INFO} No migration is running."))
    drawn += [*home_part(plans), b.header("Before")]
    drawn += [b.section(_one(run, now)) for run in past] or [b.section("None yet.")]
    return {"type": "home", "blocks": drawn}


def _live(run: Run, now: float) -> list[b.Block]:
    steps = "\n".join(f"{number}. {escape(task.title)} – {task.said}" for number, task in enumerate(tasks(run), 1))
    lines = [escape(texts.doing(run)), needed_line(run)]
    drawn = [b.section(f"{_one(run, now)}\n{chr(10).join(line for line in lines if line)}"), b.section(steps)]
    return [*drawn, *b.actions(buttons(run))]


def _one(run: Run, now: float) -> str:
    """One run in two lines."""
    took = f"{duration(texts.elapsed(run, now))}, downtime {duration(texts.downtime(run, now))}"
    return (
        f"{glyph(run)} *{said(run.plan.name, 100)}* on {said(run.plan.target, 80)}: {escape(texts.place(run))}\n"
        f"Started {moment(run.started_at, _WHEN)} by {said(run.plan.starter_name, 80)} · {took}"
        f" · run {said(run.id, 60)}"
    )


def history(runs: Sequence[Run], now: float, figures: Sequence[str] = ()) -> b.Payload:
    """The newest runs as a message to one person, below what they say together."""
    if not runs:
        return b.payload(f"{Glyph.INFO} There has been no migration yet. Type /migrate start to begin one.")
    listed = [_one(run, now) for run in runs[:_LISTED]]
    while sum(map(len, listed)) > _ROOM:
        listed = listed[:-1]
    together = [escape("\n".join(figures))] if figures else []
    drawn = [b.header("Migrations"), *(b.section(each) for each in (*together, *listed))]
    return b.payload("\n".join([*together, *listed]), drawn)


def status_view(run: Run, now: float, head: str = "") -> b.Payload:
    """Where a run stands, as a message to one person: the status update with the buttons of the card."""
    lines = escape(texts.status(run, now, head))
    steps = "\n".join(f"{escape(task.title)}: {_SIGNS[task.status]}, {task.said}" for task in tasks(run))
    drawn = [b.section(lines), b.section(steps), *b.actions(buttons(run))]
    return b.payload(f"{lines}\n{steps}", drawn)


def logs(run: Run, lines: Sequence[str]) -> b.Payload:
    """The newest lines of a run's log, literally."""
    if not lines:
        return b.payload(f"{Glyph.INFO} Nothing has been logged for run {said(run.id, 60)} yet.")
    shown = [line if len(line) <= 300 else line[:299] + "…" for line in lines[-100:]]
    while len(shown) > 1 and sum(len(line) + 1 for line in shown) > 6000:
        shown = shown[1:]
    heading = f"{Glyph.INFO} The last {len(shown)} of {len(lines)} log lines of run {said(run.id, 60)}"
    text = "\n".join([heading, *(said(line, 200) for line in shown[-12:])])
    return b.payload(text, [b.section(heading), b.code(shown, 6200)])


def help_text(verbs: Mapping[str, str]) -> b.Payload:
    """Every verb with its one-line description, e.g. ``{"start": "begin a migration"}``."""
    lines = [f"`/migrate {said(verb, 40)}` {said(what, 200)}" for verb, what in verbs.items()]
    drawn = [b.section("\n".join(lines[start : start + 10])) for start in range(0, len(lines), 10)]
    return b.payload("\n".join(lines).replace("`", ""), drawn) if lines else b.payload("No command is known.")
