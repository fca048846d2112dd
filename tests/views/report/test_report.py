"""The report of every kind of run, in its three forms, with harmless and with hostile words."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from bot.ports import Letter
from bot.runbook.expected import Expected
from bot.runbook.steps import StepName
from bot.views.report import report
from bot.views.report.charts import shown
from bot.views.report.deviations import deviations
from bot.views.timeline import Record, timeline
from tests.scripted import PLAN, STORIES, Script

EVIL = "</td><script>alert(1)</script><img src=http://evil/x> & [x](http://evil) `y` | ~~~~ \u202e"
OURS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "section", "table", "thead", "tbody", "tr"),
    *("th", "td", "ul", "li", "p", "pre", "code"),
}
DRAWN = {"figure", "figcaption", "svg", "title", "path", "text", "line", "polyline", "circle"}
ENDED = {
    "happy": ("report-run-7f3a.md", "report-run-7f3a.html"),
    "handed over": ("report-run-7f3a.md", "report-run-7f3a.html"),
    "rollback": ("investigation-run-7f3a.md", "investigation-run-7f3a.html"),
    "declined": (),
    "cleanup": (),
}


class Balanced(HTMLParser):
    """Reads a page and keeps what is open, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def record_of(script: Script) -> Record:
    """What the store has in the end."""
    return Record(events=tuple(page.event for page in script.pages), logs=script.lines)


def made(script: Script, form: str) -> str:
    return report(script.run, record_of(script), script.now, "ab12cd34ef56", form=form).text


def files(script: Script) -> list[Letter]:
    """The reports; a chart is a picture, and another story."""
    found = (each for page in script.pages for each in script.letters(page, head="ab12"))
    return [each for each in found if each.file and not each.file.name.endswith(".png")]


@pytest.mark.parametrize("story", STORIES)
def test_every_run_has_a_report_in_three_forms(story: str) -> None:
    """Also one that is still going on, failed, or was turned down: the same sections for all."""
    script = STORIES[story](Script())
    text, data = made(script, "md"), json.loads(made(script, "json"))
    for title in ("Summary", "Timeline", "Deviations", "Approvals", "Evidence", "Metrics", "Logs", "Record"):
        assert f"\n## {title}" in text
    assert (script.run.id, script.run.state.value) == (data["run"], data["state"])
    assert len(script.run.done) == len(data["evidence"])


@pytest.mark.parametrize("story", STORIES)
def test_the_page_needs_nothing_from_outside_and_nobodys_words_are_markup(story: str) -> None:
    """Every tag is ours and closed, nothing is fetched, and the browser is told so as well."""
    plan = replace(PLAN, name=EVIL, purpose=EVIL, starter_name=EVIL)
    script = STORIES[story](Script(words=EVIL, evidence=(EVIL,), lines=(EVIL,), plan=plan))
    text = made(script, "html")
    reader = Balanced()
    reader.feed(text)
    assert [] == reader.open
    assert reader.tags <= OURS | DRAWN
    assert not {each for each in reader.attributes if each.startswith("on")} | {"src", "href"} & reader.attributes
    assert "url(" not in text.partition("</style>")[0] and "@import" not in text.partition("</style>")[0]
    assert "default-src 'none'" in text
    assert "<script>alert(1)</script>" in "".join(reader.words)


@pytest.mark.parametrize("story", ["happy", "rollback", "declined"])
def test_hostile_words_break_no_table_and_no_fence(story: str) -> None:
    """Every row of a table has as many cells as its head; nothing is a link or a tag outside of a box."""
    script = STORIES[story](Script(words=EVIL, evidence=(EVIL,), lines=(EVIL,), plan=replace(PLAN, name=EVIL)))
    outside = "".join(made(script, "md").split("~~~~")[::2])
    assert "<script" not in outside
    assert "](http" not in outside.replace("\\[x](http", "")
    for table in re.findall(r"(?:^\|.*\n)+", outside, re.MULTILINE):
        assert 1 == len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()})


def test_the_measurements_are_drawn_and_said_in_words() -> None:
    """A chart has a description; the same figures stand in the Markdown."""
    script = STORIES["alert"](Script())
    text = made(script, "html")
    assert 'role="img"' in text and "<polyline" in text
    assert re.search(r'aria-label="Error rate, Monitor application health: \d+ measurements, lowest 0.1 %', text)
    assert "threshold 1000 ms, exceeded 1 times" in made(script, "md")


def test_a_step_that_took_longer_than_expected_is_a_deviation() -> None:
    """With what it was expected to take, and why; the timeline has both figures."""
    foreseen = (Expected(step=StepName.APPLY, seconds=20.0, basis="measured on a copy, times 1.5"),)
    script = STORIES["happy"](Script(plan=replace(PLAN, expected=foreseen)))
    text = made(script, "md")
    assert "- Late: apply took 1 minute, expected 20 seconds (measured on a copy, times 1.5)" in text
    assert re.search(r"Apply database migration \| 20 seconds \| 1 minute", text)


def test_waived_items_and_what_people_did_are_named() -> None:
    """Holds, rejections, retries: who and why."""
    held = made(STORIES["held"](Script(words="lunch first")), "md")
    failing = made(STORIES["failing"](Script()), "md")
    assert "Held by Ana: lunch first" in held
    assert "was tried again by Ana" in failing


@pytest.mark.parametrize("story", ENDED)
def test_a_run_on_which_work_began_reports_by_itself_when_it_ends(story: str) -> None:
    """Once: the investigation of a way back has it already, and of nothing there is nothing to say."""
    letters = files(STORIES[story](Script()))
    assert ENDED[story] == tuple(each.file.name for each in letters if each.file)
    assert len({each.key for each in letters}) == len(letters)


def test_the_completion_says_what_was_predicted_and_what_it_took() -> None:
    """Below the announcement."""
    script = STORIES["happy"](Script())
    told = [each for page in script.pages for each in script.letters(page)]
    (line,) = [each for each in told if "Predicted against actual" in str(each.payload["text"])]
    (above,) = [each for each in told if each.key == line.thread]
    assert "completed successfully" in str(above.payload["text"])
    assert "Apply: not rehearsed, actual" in str(line.payload["text"])


@pytest.mark.parametrize(
    ("story", "told", "deviation"),
    [
        ("mended", "Tried again by Eva: Retry with 4x the statement_timeout", "Retry with 4x the statement_timeout"),
        ("tried by hand", "Ana tried “print” after the migration: works", "did not work before the migration"),
        ("tried and broken", "“print” after the migration: does not work: the disk", "“print” did not work after the"),
        ("without statistics", "Eva let statistics be gathered: public.cases", ""),
    ],
)
def test_what_was_done_beside_the_steps_is_in_the_report(story: str, told: str, deviation: str) -> None:
    """Who tried what, what helped, which statistics were gathered; what went otherwise than planned is a deviation."""
    script = STORIES[story](Script())
    record = script.record(script.pages[-1])

    assert told in "\n".join(each.what for each in timeline(script.run.id, record.events))
    found = deviations(script.run, record.events)
    assert any(deviation in each for each in found) if deviation else not found


def test_a_thousand_is_said_as_people_say_it() -> None:
    """Also where arithmetic leaves a little less."""
    assert "1000 ms" == shown(999.9999999, "ms")
