"""The README tells the truth: its example loads, its folders exist, its commands can be typed."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from bot.cli import _parser
from bot.demo.scenarios import SCENARIOS
from bot.settings import TargetsFile, targets_of
from bot.views.ids import Verb

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"python -m bot ([^`\n]+)", README)))


def test_the_targets_example_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The TOML under “Going live” is a whole targets file, with the variables that the same section sets."""
    found = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert found is not None
    monkeypatch.setenv("CASEWORK_DATABASE_URL", "postgresql://casework_owner@db.example.com/casework_prod")

    targets = targets_of(TargetsFile.model_validate(tomllib.loads(found[1])), base=ROOT)

    casework = targets["casework"]
    assert "casework_prod" == casework.database
    assert (False, True, True, 24 * 3600.0) == (
        casework.auto_rollback, casework.envelope is not None, bool(casework.workflows), casework.rollback_deadline
    )  # fmt: skip
    assert "export CASEWORK_DATABASE_URL=" in README


def test_every_folder_of_the_map_exists() -> None:
    """Nobody is sent to a folder that is gone, and no top folder is left out."""
    named = re.findall(r"^\| `([a-z/]+)/` \|", README, re.MULTILINE)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert [] == [name for name in named if not (ROOT / name).is_dir()]
    assert {*packages, "tests", "docs"} - set(named) == set()


def test_every_linked_file_exists() -> None:
    """Links and the picture lead somewhere, and the picture is small enough to load at once."""
    linked = re.findall(r"\]\((?!https?:)([^)]+)\)", README)

    assert [] == [name for name in linked if not (ROOT / name).is_file()]
    assert (ROOT / "docs" / "screenshot.png").stat().st_size < 300_000


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_typed(command: str) -> None:
    """The parser takes each ``python -m bot …`` as it stands there."""
    words = shlex.split(command.partition("#")[0])

    assert callable(_parser().parse_args(words).does)


def test_every_make_target_exists() -> None:
    """``make …`` too."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_every_verb_named_exists_and_none_is_left_out() -> None:
    """``/migrate …`` as people type it; the two verbs that only buttons have are not listed."""
    named = {name.replace("-", "_") for name in re.findall(r"/migrate ([a-z-]+)", README)}

    assert {verb.value for verb in Verb} - {Verb.KEEP_WAITING, Verb.CANCEL_BLOCKER} == named


def test_every_scenario_is_told() -> None:
    """The table of scenarios has each of them, in their order."""
    assert list(SCENARIOS) == re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE)


def test_the_processes_are_those_of_the_procfile() -> None:
    """Going live names exactly what ``Procfile`` starts."""
    started = set(re.findall(r"^\w+: (.+)$", (ROOT / "Procfile").read_text("utf-8"), re.MULTILINE))

    assert started == set(re.findall(r"^ *\| `(python -m bot \w+)` \|", README, re.MULTILINE))
