"""What stands in the report of a run: the same sections for every run, and those of an investigation beside."""

from collections.abc import Iterator

from bot.runbook import announcements, texts
from bot.runbook.predicted import compared
from bot.runbook.preparation.checklist import LINES
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.preparation.standing import checklist
from bot.runbook.run import Run, State
from bot.runbook.steps import Route, StepName, route_steps
from bot.runbook.wording import duration
from bot.views import danger
from bot.views.report.afterwards import afterwards
from bot.views.report.deviations import deviations
from bot.views.report.document import Box, Bullets, Code, Document, Named, Part, Section, Table, Words
from bot.views.report.measured import charts
from bot.views.timeline import Record, approvals, failure, stamp, timeline

#: Runbook "Rollback Steps", 7: word for word.
TO_DO = (
    "Root cause analysis of migration failure",
    "Document lessons learned",
    "Fix migration issues before retry",
    "Update runbook with learnings",
)
_SCHEMA = ((StepName.VERIFY, "As the migration left it"), (StepName.VERIFY_BACK, "After the way back"))


def went_back(run: Run) -> bool:
    """Is it the report of an investigation?"""
    return run.route is Route.ROLLBACK or run.state is State.ROLLED_BACK


def document(run: Run, record: Record, now: float, head: str = "") -> Document:
    """Everything that is known of the run."""
    kind = "Investigation" if went_back(run) else "Report"
    investigated = (_to_do(), _failure(run, record)) if went_back(run) else ()
    sections = (
        _summary(run, now),
        *investigated,
        _timeline(run, record),
        _predicted(run),
        _deviations(run, record),
        _approvals(run, record),
        *_checklist(run, record.preparation),
        *_evidence(run),
        _schema(run),
        *_causes(run),
        _section("Metrics", *charts(run.id, record.events, run.plan.thresholds), empty="Nothing was measured."),
        *afterwards(record.follow_up),
        _kept(run),
        Section(title="Logs, newest last", parts=(Box(lines=record.logs or ("Nothing was logged.",)),)),
        _ledger(run, head),
    )
    return Document(title=f"{kind}: {run.plan.name}", sections=sections)


def _section(title: str, *parts: Part, empty: str) -> Section:
    """A section that says so where there is nothing."""
    return Section(title=title, parts=parts or (Words(text=empty),))


def _summary(run: Run, now: float) -> Section:
    plan = run.plan
    rows = (
        ("Run", run.id),
        ("Outcome", texts.place(run)),
        ("Why", run.reason),
        ("Target", f"{plan.target} (database {plan.database})"),
        ("Purpose", plan.purpose),
        ("Migrations", ", ".join(plan.migrations)),
        ("Started", f"{stamp(run.started_at)} UTC by {plan.starter_name}"),
        ("Ended", f"{stamp(run.ended_at)} UTC" if run.ended_at else ""),
        ("Duration", duration(texts.elapsed(run, now))),
        ("Downtime", texts.downtime_in_words(run, now)),
        ("Database", texts.DATABASE[run.database_state]),
        ("Risk", danger.level(run)),
        ("Prepared by plan", plan.preparation),
        ("Rollback envelope", plan.envelope.words if plan.envelope else "none was signed"),
    )
    shown = tuple((name, value) for name, value in rows if value)
    return Section(title="Summary", parts=(Table(head=("What", "Value"), rows=shown),))


def _to_do() -> Section:
    return Section(title="To do", parts=(Bullets(items=TO_DO, to_do=True),))


def _failure(run: Run, record: Record) -> Section:
    failed, asked = failure(record.events)
    way, rung = run.way, announcements.rung_taken(run)
    found = (
        ("Reason", run.reason),
        ("Rollback criterion", str(failed.criterion) if failed and failed.criterion else ""),
        ("Asked by", asked.name if asked else ""),
        ("What did not succeed", failed.problem if failed else ""),
        ("Advice at the time", failed.advice if failed else ""),
        ("Reference in the logs", failed.reference if failed else ""),
        ("Way back", announcements.HOW[rung] if rung else ""),
        ("Its cost as it was shown", way.cost if way else ""),
    )
    rows = tuple((name, value) for name, value in found if value)
    return Section(title="What failed", parts=(Table(head=("What", "Value"), rows=rows),))


def _timeline(run: Run, record: Record) -> Section:
    rows = tuple(
        (stamp(each.at), each.what, _length(each.expected), _length(each.seconds), each.by)
        for each in timeline(run.id, record.events)
    )
    head = ("When (UTC)", "What", "Expected", "Took", "By")
    return Section(title="Timeline", parts=(Table(head=head, rows=rows),))


def _length(seconds: float | None) -> str:
    return duration(seconds) if seconds is not None else ""


def _predicted(run: Run) -> Section:
    lines = tuple(each.line for each in compared(run.plan.drill, run))
    parts = (Bullets(items=lines),) if lines else ()
    return _section("Predicted against actual", *parts, empty="Nothing was both foretold and measured.")


def _deviations(run: Run, record: Record) -> Section:
    lines = deviations(run, record.events)
    parts = (Bullets(items=lines),) if lines else ()
    return _section("Deviations", *parts, empty="None: nothing was held, repeated, extended, set aside or late.")


def _approvals(run: Run, record: Record) -> Section:
    rows = tuple(
        (stamp(yes.at), f"{yes.name} ({yes.person})", title, Code(yes.digest), yes.via)
        for title, yes in approvals(run.id, record.events)
    )
    head = ("When (UTC)", "Who", "To what", "Digest", "Via")
    return _section("Approvals", *((Table(head=head, rows=rows),) if rows else ()), empty="Nobody approved anything.")


def _checklist(run: Run, plan: Preparation | None) -> tuple[Section, ...]:
    """As it stands in the plan that the run was prepared by, with the waivers that the run took with it."""
    if plan is None:
        return ()
    rows = tuple((LINES[each.item].text, str(each.standing), "; ".join(each.why)) for each in checklist(plan))
    said = tuple(f"{each.name} ({'Go' if each.go else 'No-go'}, {stamp(each.at)} UTC)" for each in plan.answers)
    waived = (Bullets(items=run.plan.waived),) if run.plan.waived else (Words(text="No item was set aside."),)
    table = Table(head=("Item", "Standing", "Shown by"), rows=rows)
    return (
        Section(title="Checklist before the start", parts=(table,)),
        Section(title="Waived items", parts=waived, level=3),
        _section("Go or No-go", *((Bullets(items=said),) if said else ()), empty="Nobody was asked."),
    )


def _causes(run: Run) -> Iterator[Section]:
    """What was said before people were asked to go back."""
    sides = (("Speaks for the migration as the cause", run.speaks_for), ("Speaks against it", run.speaks_against))
    for title, lines in sides:
        if lines:
            yield Section(title=title, parts=(Bullets(items=lines),))


def _evidence(run: Run) -> tuple[Section, ...]:
    """Every finished step with all it left behind, in the order they were finished."""
    titles = _titles(run)
    opening = Section(title="Evidence", parts=() if run.done else (Words(text="No step was finished."),))
    return opening, *(
        Section(
            title=f"{titles.get(done.step, done.step)} ({stamp(done.began_at)}, {duration(done.seconds)})",
            parts=(Bullets(items=(*done.evidence, *(Named(name=name, value=value) for name, value in done.facts))),),
            level=3,
        )
        for done in run.done
    )


def _titles(run: Run) -> dict[str, str]:
    plan = run.plan
    routes = (run.left[0], run.route) if run.left else (Route.FORWARD, run.route)
    steps = (step for each in routes for step in route_steps(plan.runbook, each, downtime=True, standby=plan.standby))
    return {step.name: step.title for step in steps}


def _schema(run: Run) -> Section:
    """What verifying found of the schema: the differences, line by line."""
    found = [(title, done.evidence) for step, title in _SCHEMA if (done := run.result(step)) and done.evidence]
    parts = tuple(Box(lines=(f"{title}:", *lines)) for title, lines in found)
    return _section("Schema", *parts, empty="The schema was not compared.")


def _kept(run: Run) -> Section:
    left = announcements.kept(run)
    if not left:
        return Section(title="What is kept", parts=(Words(text="Nothing is known to be kept."),))
    hint = f"`/migrate cleanup {run.id}` removes the kept databases, after approval."
    return Section(title="What is kept", parts=(Bullets(items=left), Words(text=hint)))


def _ledger(run: Run, head: str) -> Section:
    return Section(
        title="Record",
        parts=(
            Words(text=f"Head of the ledger when this was written: `{head or 'not known'}`."),
            Words(
                text=f"`python -m bot ledger verify {run.id}` proves that it is whole;"
                f" `ledger export {run.id}` gives all of it."
            ),
        ),
    )
