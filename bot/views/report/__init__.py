"""The report of a run, one generator for all: as Markdown, as a page to print, and as JSON."""

from bot.ports import Attachment
from bot.runbook.run import Run
from bot.views.report.content import document, went_back
from bot.views.report.data import as_json
from bot.views.report.markdown import markdown
from bot.views.report.page import page
from bot.views.timeline import Record

__all__ = ["FORMATS", "report", "report_files"]

FORMATS = ("md", "html", "json")


def report(run: Run, record: Record, now: float, head: str = "", *, form: str = "md", mark: str = "") -> Attachment:
    """One file: named after the run, so that it is found again by its name; ``mark`` tells later ones apart."""
    kind = "investigation" if went_back(run) else "report"
    name = "-".join(each for each in (kind, run.id, mark) if each)
    return Attachment(
        name=f"{name}.{form}", title=f"{kind.capitalize()} of run {run.id}", text=_text(run, record, now, head, form)
    )


def report_files(run: Run, record: Record, now: float, head: str = "", *, mark: str = "") -> tuple[Attachment, ...]:
    """What is put into a thread: to read there, and to open or print."""
    return tuple(report(run, record, now, head, form=form, mark=mark) for form in ("md", "html"))


def _text(run: Run, record: Record, now: float, head: str, form: str) -> str:
    if form == "json":
        return as_json(run, record, now, head)
    made = document(run, record, now, head)
    return page(made) if form == "html" else markdown(made)
