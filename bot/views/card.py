"""The card: the one living message of a run, drawn whole from its state every time."""

from bot.runbook import texts
from bot.runbook.digest import short
from bot.runbook.run import Database, Run, State
from bot.runbook.samples import Judgement
from bot.runbook.steps import Route
from bot.runbook.wording import duration, utc
from bot.views import blocks as b
from bot.views import danger
from bot.views.blocks import Glyph
from bot.views.exercise import marked
from bot.views.figures import figures
from bot.views.limits import message_problems
from bot.views.offers import buttons, offered
from bot.views.plan import plan_block, steps_in_words
from bot.views.text import escape, mention, moment, said

_ENDS = {
    State.COMPLETED: Glyph.DONE,
    State.RETURNED: Glyph.DONE,
    State.ROLLED_BACK: Glyph.DONE,
    State.CLEANED: Glyph.DONE,
    State.CANCELLED: Glyph.INFO,
    State.CLOSED: Glyph.INFO,
    State.STUCK: Glyph.FAILED,
    State.HELD: Glyph.HOLD,
    State.HANDED_OVER: Glyph.HOLD,
    State.ASKING: Glyph.ATTENTION,
}


def card(run: Run, now: float, progress: str = "", head: str = "") -> b.Payload:
    """Everything about a run at ``now``; ``progress`` is the running step's own words, ``head`` the ledger's hash."""
    words = _in_words(run, now, progress, head)
    made = (marked(run, b.payload(words, _drawn(run, now, progress, head, evidence))) for evidence in (2, 1, 0))
    return next((each for each in made if not message_problems(each)), marked(run, b.payload(words)))


def _drawn(run: Run, now: float, progress: str, head: str, evidence: int) -> list[b.Block]:
    """The card's blocks, with so many lines of evidence for each finished step."""
    return [
        b.header(f"{glyph(run)} {said(run.plan.name, 60)}: {escape(texts.place(run))}"),
        b.section(_situation(run, progress)),
        plan_block(run, progress, evidence),
        *(
            [b.section("*Watched:*\n" + "\n".join(f"• {each}" for each in watched))]
            if (watched := figures(run))
            else []
        ),
        *b.facts(_facts(run, now)),
        b.section(f"*Purpose:* {said(run.plan.purpose)}"),
        *(b.section(line) for line in danger.statements(run.dangers)),
        b.context(_footer(run, head)),
        *b.actions(buttons(run)),
    ]


def glyph(run: Run) -> Glyph:
    """The one sign for where the run stands."""
    if run.state in _ENDS:
        return _ENDS[run.state]
    worrying = run.blockers or run.judgement in (Judgement.ALERT, Judgement.BREACH, Judgement.NO_DATA)
    if worrying:
        return Glyph.ATTENTION
    return Glyph.ALERT if run.route is Route.ROLLBACK else Glyph.INFO


def needed_line(run: Run) -> str:
    """Who is needed, by mention, and for what; empty when nobody is."""
    wanted = texts.ask(run)
    return f"*Needed:* {mention(texts.needed(run)) or 'somebody'} – {escape(wanted)}" if wanted else ""


def _situation(run: Run, progress: str) -> str:
    lines = [escape(texts.doing(run))]
    if progress and run.state is State.WORKING:
        lines.append(said(progress, 500))
    lines.append(needed_line(run) or ("" if run.final else "*Needed:* nobody; the bot goes on by itself."))
    if not run.final:
        lines.append(f"*Next:* {escape(texts.next_up(run))}")
    return "\n".join(line for line in lines if line)


def _facts(run: Run, now: float) -> list[tuple[str, str]]:
    plan = run.plan
    gone = duration(texts.elapsed(run, now))
    ended = ("Ended", moment(run.ended_at, "{date_short_pretty} {time}")) if run.ended_at else None
    expected = ended or ("Expected completion", moment(texts.expected_end(run)))
    passed = [("Executor", mention({run.executor}))] if run.passed else []
    waived = [("Waived beforehand", said("; ".join(plan.waived), 600))] if plan.waived else []
    until = [("Rollback deadline", moment(run.deadline))] if run.deadline and not run.final else []
    return [
        ("Target", f"{said(plan.target, 80)} (database {said(plan.database, 80)})"),
        ("Started by", f"{mention({plan.starter})} {moment(run.started_at)}"),
        ("Risk", danger.level(run)),
        ("Elapsed", f"{gone} of about {duration(texts.expected_end(run) - run.started_at)}"),
        (f"Downtime{'' if run.final else ' so far'}", _down(run, now)),
        expected,
        ("Database", _database(run)),
        ("Services", escape(texts.services(run))),
        *until,
        *passed,
        *waived,
    ]


def _down(run: Run, now: float) -> str:
    down = texts.downtime(run, now)
    return duration(down) if down else ("none" if run.plan.downtime or run.final else "none; zero downtime planned")


def _database(run: Run) -> str:
    warning = f"{Glyph.ATTENTION} " if run.database_state is Database.UNKNOWN else ""
    return f"{warning}{texts.DATABASE[run.database_state]}"


def _footer(run: Run, head: str) -> str:
    record = f" · record {short(head)}" if head else ""
    plan = f" · plan {said(run.plan.preparation, 60)}" if run.plan.preparation else ""
    return f"Run {said(run.id, 60)}{plan} · runbook {run.plan.runbook}{record} · details in this thread"


def _in_words(run: Run, now: float, progress: str, head: str) -> str:
    """The whole card in sentences, for screen readers and old clients."""
    plan, kind = run.plan, "Clean-up" if run.plan.cleans else "Migration"
    wanted = texts.ask(run)
    sentences = [
        f"{glyph(run)} {kind} “{said(plan.name, 100)}” of {said(plan.target, 80)}: {escape(texts.place(run))}.",
        escape(texts.doing(run)),
        f"Progress: {said(progress)}." if progress and run.state is State.WORKING else "",
        f"Needed: {mention(texts.needed(run))} {escape(wanted)}" if wanted else "",
        "" if run.final else f"Next: {escape(texts.next_up(run))}",
        steps_in_words(run),
        f"Watched: {'; '.join(watched)}." if (watched := figures(run)) else "",
        f"Purpose: {said(plan.purpose)}.",
        *(line.replace("*", "") for line in danger.statements(run.dangers)),
        f"Started by {said(plan.starter_name, 80)} at {utc(run.started_at)}; risk {danger.level(run)}.",
        f"Elapsed {duration(texts.elapsed(run, now))}, downtime {_down(run, now)},"
        f" {f'ended {utc(run.ended_at)}' if run.ended_at else f'expected completion {utc(texts.expected_end(run))}'}.",
        f"Waived beforehand: {said('; '.join(plan.waived), 600)}." if plan.waived else "",
        f"Database: {texts.DATABASE[run.database_state]}. Services: {escape(texts.services(run))}.",
        f"You can: {', '.join(f'/migrate {verb}' for verb in offered(run))}.",
        _footer(run, head) + ".",
    ]
    return "\n".join(sentence for sentence in sentences if sentence)
