"""Logs: what is secret never reaches a line, whoever put it there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.logs import masked

ROOT = Path(__file__).parents[1]
BOT_TOKEN = "xoxb-1234-abcdef"
APP_TOKEN = "xapp-1-A1-2-cafe"
SECRETS = {
    "a bot token": (f"token={BOT_TOKEN} sent", "abcdef"),
    "an app token": (APP_TOKEN, "cafe"),
    "a connection string": ("postgresql://bot:s3cret@db.example:5432/app", "s3cret"),
    "a key-value connection string": ("host=db password=s3cret dbname=app", "s3cret"),
    "two at once": (f"{BOT_TOKEN} and postgresql://bot:s3cret@db/app", "s3cret"),
}


@pytest.mark.parametrize("named", SECRETS)
def test_secrets_in_any_value_are_masked(named: str) -> None:
    """Tokens and passwords become dots; what is around them stays."""
    text, secret = SECRETS[named]
    line = str(masked(None, "info", {"event": "said", "why": text}))
    assert secret not in line and "•••" in line


def test_what_is_not_secret_is_left_alone() -> None:
    """A log that hides everything helps nobody."""
    event = {"event": "letter.unclear", "key": "m-1:card", "url": "https://example.com/a?b=c", "count": 3}
    assert dict(event) == dict(masked(None, "info", dict(event)))


def _logged(code: str) -> str:
    """What a process that does ``code`` after ``set_up`` prints, on both streams."""
    program = f"import structlog, logging\nfrom bot.logs import set_up\nset_up(json=True)\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, env=dict(os.environ)
    )
    return done.stdout + done.stderr


def test_an_exception_is_printed_with_its_place_but_without_its_locals() -> None:
    """A traceback shows where it happened; what the variables held stays there, and its own text is masked."""
    said = _logged(
        "def work():\n"
        "    private = 'correct horse battery'\n"
        "    raise ValueError('no route to postgresql://bot:s3cret@db/app')\n"
        "try:\n"
        "    work()\n"
        "except ValueError as error:\n"
        "    structlog.get_logger().error('step.unexpected', reference='E-1', exc_info=error)\n"
    )
    line = json.loads(said)
    assert ("step.unexpected", "E-1") == (line["event"], line["reference"])
    assert "ValueError" in line["exception"] and "in work" in line["exception"]
    assert "correct horse" not in said and "s3cret" not in said


def test_lines_of_libraries_are_masked_too() -> None:
    """psycopg and Slack's SDK log through the standard library."""
    said = _logged("logging.getLogger('psycopg').warning('cannot reach %s', 'postgresql://bot:s3cret@db/app')")
    assert "cannot reach" in said and "s3cret" not in said


def test_a_library_s_exception_is_masked_too() -> None:
    """An error's text often holds the connection string."""
    said = _logged(
        "try:\n"
        "    raise OSError('postgresql://bot:s3cret@db/app')\n"
        "except OSError:\n"
        "    logging.getLogger('asyncio').exception('it broke')\n"
    )
    assert "it broke" in said and "s3cret" not in said


def test_secrets_inside_lists_and_mappings_are_masked() -> None:
    """Whatever shape the value has."""
    line = str(masked(None, "info", {"event": "said", "problems": [BOT_TOKEN], "more": {"dsn": "x://a:s3cret@b"}}))
    assert BOT_TOKEN not in line and "s3cret" not in line
