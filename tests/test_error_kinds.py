"""Kinds of errors in logs: what is one kind, what is none, and that no value of anybody is in them."""

import json

import pytest

from bot.error_kinds import LONGEST, MOST, kinds, state_of


def structured(**fields: object) -> str:
    return json.dumps({"at": "2026-11-26T10:00:00Z", "level": "error", "service": "web", **fields})


def test_lines_that_differ_by_values_are_one_kind() -> None:
    """Ids, numbers, times, quoted values and addresses are no part of it; names of columns are."""
    lines = [
        structured(event="request.failed", error=f'UndefinedColumn: column "full_name" does not exist, id {n}')
        for n in range(3)
    ]
    (found,) = kinds("web", lines)
    assert (found.text, found.count) == ('UndefinedColumn: column "full_name" does not exist, id N', 3)
    assert ("web", "42703") == (found.service, found.state)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("2026-11-26 10:00:01,5 ERROR in app: User ann@example.com not found", "ERROR in app: User … not found"),
        ("ERROR: duplicate key value violates unique constraint \"u\" DETAIL: Key (email)=(ann@example.com) exists",
         'ERROR: duplicate key value violates unique constraint "u" DETAIL: Key (email)=(…) exists'),
        ("psycopg.errors.ForeignKeyViolation: row 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
         "psycopg.errors.ForeignKeyViolation: row …"),
        ("PrismaClientKnownRequestError: code: '42P01' for 'cases'", "PrismaClientKnownRequestError: code: '…' for '…'"
         " (SQLSTATE 42P01)"),
        ("TypeError: Cannot read 'secret' of undefined", "TypeError: Cannot read '…' of undefined"),
    ],
)  # fmt: skip
def test_plain_lines(line: str, text: str) -> None:
    """Of any language that writes its errors' names."""
    assert [text] == [each.text for each in kinds("web", [line])]


@pytest.mark.parametrize(
    "line",
    ["GET /errors 200", structured(level="info", event="an error that is none"), "no error at all", "{broken json", ""],
)
def test_what_is_no_error(line: str) -> None:
    assert () == kinds("web", [line])


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ('relation "cases" does not exist', "42P01"),
        ("null value in column violates not-null constraint", "23502"),
        ("SQLSTATE: 23514", "23514"),
        ("permission denied for table cases", "42501"),
        ("the mail server does not answer", ""),
    ],
)
def test_the_sqlstate_is_found_by_code_or_words(text: str, state: str) -> None:
    assert state == state_of(text)


def test_only_so_many_and_so_long() -> None:
    """The most frequent first."""
    lines = [f"ERROR: kind{'y' * n} {'x' * 300}" for n in range(20)] + ["ERROR: often"] * 5
    found = kinds("web", lines)
    assert "ERROR: often" == found[0].text
    assert len(found) <= MOST
    assert all(len(each.text) <= LONGEST for each in found)
