"""The second opinion: what it adds to our own judgement and does not repeat, and that it never stands in the way."""

from pathlib import Path

import pytest

from integrations.postgres import statements as st
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.squawk import SAME, Finding, found, parsed, second_opinion, spoken, without_ours
from integrations.postgres.script import Script
from tests.integrations.postgres.risk.judged import BIG

ONLY_SQUAWK = "create table notes (id bigint primary key, body varchar(20));"
BOTH = """\
alter table orders drop column state;
create index on orders (total);
alter table orders alter column id type numeric;
alter table orders alter column total set not null;
alter table orders rename column seen to read_at;
alter table orders add constraint positive check (total > 0);
alter table orders add column u uuid default gen_random_uuid();
"""


def _script(text: str, name: str = "001.sql") -> Script:
    return Script(name=name, data=text.encode(), statements=st.parse(text))


async def _asked(text: str, *, exclude: tuple[str, ...] = (), binary: str | None = None) -> tuple[str, ...]:
    script = _script(text)
    return await second_opinion([script], assess([script], BIG).statements, major=18, exclude=exclude, binary=binary)


async def test_what_only_it_sees_is_added_with_its_place() -> None:
    """A line for each rule, named so that it can be left out."""
    (line,) = await _asked(f"-- a comment\n{ONLY_SQUAWK}")

    assert line.startswith("squawk: 001.sql line 2: ")
    assert line.endswith("(prefer-text-field)")


async def test_what_we_say_ourselves_is_not_said_twice() -> None:
    """Seven findings that our own judgement, which knows the database, has in it already."""
    assert () == await _asked(BOTH)
    assert 7 <= len({each.rule for each in await _everything(BOTH)} & set(SAME))


async def _everything(text: str) -> list[Finding]:
    """Its findings as if we had judged nothing."""
    script, many = _script(text), []
    for rule in SAME:
        lines = await second_opinion([script], (), major=18, exclude=tuple(each for each in SAME if each != rule))
        many += [Finding(file="001.sql", line=1, rule=rule, message="") for line in lines if rule in line]
    return many


async def test_what_the_bot_makes_true_itself_is_not_asked() -> None:
    """Time-outs are set by the bot, and the file is one transaction: neither is worth a line."""
    assert () == await _asked("alter table orders add column note text;")


async def test_a_target_can_leave_rules_out() -> None:
    """By name, as the line gives it."""
    assert () == await _asked(ONLY_SQUAWK, exclude=("prefer-text-field",))


async def test_a_wrong_rule_is_said_in_a_line() -> None:
    """Its own words; our judgement stands without it."""
    (line,) = await _asked(ONLY_SQUAWK, exclude=("no-such-rule",))
    assert line.startswith("squawk: no second opinion on 001.sql: ") and "no-such-rule" in line


@pytest.mark.parametrize(
    ("body", "says"),
    [("exit 3", "it said: nothing"), ("echo '{\"a\": 1}'", "it said: "), ("echo oops", "it said: oops")],
)
async def test_a_broken_program_is_said_in_a_line(tmp_path: Path, body: str, says: str) -> None:
    """Whatever it answers, there is one line and no error."""
    program = tmp_path / "squawk"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o700)

    (line,) = await _asked(ONLY_SQUAWK, binary=str(program))
    assert says in line


async def test_an_absent_program_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    assert found() is None
    (line,) = await _asked(ONLY_SQUAWK)
    assert "pip install squawk-cli" in line


def test_many_findings_are_counted() -> None:
    """Three rules with their lines; how many more there are."""
    many = [Finding(file="001.sql", line=n, rule=f"rule-{n % 5}", message="words " * 60) for n in range(1, 41)]

    lines = spoken(many)

    assert 4 == len(lines)
    assert "squawk: and 2 more rules broken" == lines[-1]
    assert "lines 1, 6, 11, 16, 21 …" in lines[0] and lines[0].endswith("(rule-1)")
    assert all(len(line) <= 160 for line in lines)


def test_a_finding_of_another_statement_stays() -> None:
    """What we say of one line does not silence it on another."""
    statements = assess([_script("drop table orders;\nselect 1;")], BIG).statements
    here, there = (Finding(file="001.sql", line=n, rule="ban-drop-table", message="m") for n in (1, 2))

    assert [there] == without_ours([here, there], statements)
    with pytest.raises(ValueError, match="it said"):
        parsed("001.sql", "[1]")
