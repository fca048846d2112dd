"""``ConsoleChannel``: what people read without Slack."""

import io
from dataclasses import replace
from pathlib import Path

from bot.ports import Attachment, Letter
from integrations.slack.console import ConsoleChannel


def letter(key: str, text: str) -> Letter:
    """A letter of some run."""
    return Letter(key=key, run_id="run-1", channel="C0ENG", payload={"text": text})


async def test_words_are_printed_without_slacks_markup() -> None:
    """Mentions and entities are for Slack; a console shows words, threads indented."""
    stream = io.StringIO()
    channel = ConsoleChannel(stream)
    parent = await channel.post(letter("a", "one &lt;two&gt; <@U0ANA>\nthree"), None)
    await channel.post(letter("b", "four"), parent)

    assert stream.getvalue() == "[C0ENG] one <two> @U0ANA\n[C0ENG] three\n[C0ENG]   ↳ four\n"


async def test_a_redraw_is_printed_when_its_first_lines_changed() -> None:
    """The card says where the run is in two lines; the rest would only scroll."""
    stream = io.StringIO()
    channel = ConsoleChannel(stream)
    card = await channel.post(letter("a", "step 1\nrunning\nmore"), None)
    for text in ("step 1\nrunning\nother", "step 2\nrunning\nother", "step 2\nrunning\nother"):
        await channel.update(card, {"text": text})

    assert stream.getvalue().splitlines()[3:] == ["[C0ENG]   ~ step 2", "[C0ENG]   ~ running"]


async def test_a_key_is_printed_once() -> None:
    """A repeated delivery prints nothing."""
    stream = io.StringIO()
    channel = ConsoleChannel(stream)

    assert await channel.post(letter("a", "one"), None) == await channel.post(letter("a", "one"), None)
    assert stream.getvalue() == "[C0ENG] one\n"


async def test_a_file_is_written_and_its_place_is_printed(tmp_path: Path) -> None:
    """Whoever runs the bot without Slack finds the report by what the console says."""
    stream = io.StringIO()
    channel = ConsoleChannel(stream, folder=tmp_path / "reports")
    file = Attachment(name="report.md", title="The report", text="# Hello\n")
    await channel.post(replace(letter("a", "see below"), file=file), None)

    assert "# Hello\n" == (tmp_path / "reports" / "report.md").read_text()
    assert f"The report: {tmp_path / 'reports' / 'report.md'}" in stream.getvalue()


async def test_a_file_that_cannot_be_written_is_printed(tmp_path: Path) -> None:
    """A folder that cannot be made loses no report."""
    (tmp_path / "reports").write_text("in the way")
    stream = io.StringIO()
    file = Attachment(name="report.md", title="The report", text="# Hello\n")
    await ConsoleChannel(stream, folder=tmp_path / "reports").post(replace(letter("a", "below"), file=file), None)

    assert "could not be written" in stream.getvalue() and "# Hello" in stream.getvalue()
