"""``ConsoleChannel``: what people read without Slack."""

import io

from bot.ports import Letter
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
