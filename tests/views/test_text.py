"""Text for Slack and the values behind buttons."""

import json

import pytest

from bot.views.ids import ActionValue, BadValue, Field, Verb, choice, decode_value, encode_value, verb_of
from bot.views.text import clip, escape, mention, moment, plain, said


def test_escaping_takes_slacks_three_characters() -> None:
    """& < > become entities, everything else stays."""
    assert escape("<!channel> & *b*") == "&lt;!channel&gt; &amp; *b*"


@pytest.mark.parametrize("limit", range(1, 40))
def test_clipping_never_cuts_an_entity_or_a_token(limit: int) -> None:
    """Whatever the length, what is left can be read by Slack."""
    cut = clip("a &amp; b <@U0ANA> c &lt;d&gt; <!date^1^{time}|x> end", limit)

    assert len(cut) <= limit
    assert cut.count("<") == cut.count(">")
    assert "&" not in cut.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_peoples_words_stay_on_one_line() -> None:
    """Line breaks, direction marks and backticks cannot break a message apart."""
    assert said("one\ntwo \u202e`three`\x00") == "one two ˋthreeˋ"


def test_only_ids_are_mentioned() -> None:
    """Users and groups are called; anything else is shown as it is."""
    assert mention({"U0ANA", "S0DBA", "<!channel>"}) == "&lt;!channel&gt; <!subteam^S0DBA> <@U0ANA>"


def test_a_crowd_is_not_called_one_by_one() -> None:
    """Twenty mentions are enough; the rest is counted."""
    assert mention(f"U0{number:03d}" for number in range(23)).endswith("<@U0019> and 3 more")


def test_a_moment_is_shown_in_the_readers_zone() -> None:
    """The token carries UTC for clients that cannot convert."""
    assert moment(0) == "<!date^0^{time}|01 Jan 1970 00:00 UTC>"


def test_a_console_reads_words() -> None:
    """Mentions, dates and entities become plain text."""
    assert plain(f"{moment(0)} <@U0ANA> <!subteam^S0DBA> &lt;&amp;") == "01 Jan 1970 00:00 UTC @U0ANA @S0DBA <&"


@pytest.mark.parametrize("verb", list(Verb))
def test_ids_lead_back_to_verbs(verb: Verb) -> None:
    """One enum names every button."""
    assert verb_of(verb.id) is verb


@pytest.mark.parametrize(
    "other", ["", "migrate", "migrate.", "start", "migrate.start2", "other.start", Field.TARGET.id]
)
def test_other_ids_are_no_verbs(other: str) -> None:
    """What is not ours is not taken for ours."""
    assert verb_of(other) is None


def test_a_value_survives_the_way_through_slack() -> None:
    """What a button was drawn for comes back exactly."""
    value = ActionValue(run="run-1", number=7, digest="a" * 64)

    assert decode_value(encode_value(value)) == value
    assert len(encode_value(value)) < 150


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        "null",
        "[]",
        "{",
        '{"run": 1}',
        '{"n": "1"}',
        '{"n": true}',
        '{"x": 1}',
        "[" * 1999,
        json.dumps({"run": "x" * 2000}),
    ],
)
def test_rubbish_is_refused_with_the_way_out(rubbish: str) -> None:
    """A value this version cannot read says what to do instead of failing."""
    with pytest.raises(BadValue, match="/migrate status"):
        decode_value(rubbish)


def test_long_names_become_hashes() -> None:
    """An option's value is at most 150 characters, and tells two long names apart."""
    assert choice("001.sql") == "001.sql"
    assert choice("a" * 151) != choice("a" * 152)
    assert len(choice("a" * 5000)) <= 150
