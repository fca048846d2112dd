"""What a report says of the time after the run: the slow watch, and the 48-hour review."""

from collections.abc import Iterator

from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.wording import counted
from bot.views.follow_up.review import boxes
from bot.views.report.document import Bullets, Chart, Part, Section, Table, Words
from bot.views.report.measured import MEASURES, drawn
from bot.views.timeline import stamp


def afterwards(found: FollowUp | None) -> tuple[Section, ...]:
    """Nothing where nothing follows."""
    if found is None:
        return ()
    return (Section(title="After the migration", parts=tuple(_parts(found))),)


def _parts(found: FollowUp) -> Iterator[Part]:
    rows = (
        ("Follow-up", found.id),
        ("Stage", str(found.stage)),
        ("How it ended", found.reason),
        ("Looks", counted(len(found.samples), "measurement")),
        ("Review posted", f"{stamp(found.since)} UTC" if found.review and not found.final else ""),
    )
    yield Table(head=("What", "Value"), rows=tuple((name, value) for name, value in rows if value))
    yield Bullets(items=found.anomalies) if found.anomalies else Words(text="Nothing got worse.")
    if found.review is not None:
        lines = tuple((text, "done" if done else "open", words) for done, text, words in boxes(found))
        yield Table(head=("Metrics Review (48 hours post-migration)", "Box", "What fills it"), rows=lines)
    yield from _charts(found)


def _charts(found: FollowUp) -> Iterator[Chart]:
    for measure in MEASURES:
        if (chart := drawn("after the migration", found.samples, measure)) is not None:
            yield chart
