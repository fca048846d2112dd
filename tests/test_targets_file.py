"""Mistakes in the targets file are named with file, line and remedy."""

from pathlib import Path

import pytest

from bot.settings import ConfigurationError, read_targets, targets_of
from bot.settings.places import Places

FILE = """\
# what may be migrated
[targets.casework]          # the first
dsn_env = "CASEWORK_DATABASE_URL"
channel = "C1"
migrations = "migrations"
backups = "backups"
announcement = "gone.txt"
orphan_checks = { "notes" = \"\"\"
  select count(*)
  from notes\"\"\", "cases" = "select 0" }

[targets.casework.policy]
approvers = [
  "U2",
  "S0DBA0001",
]
quorum = 2

[[targets.casework.services]]
name = "web"
health_url = "http://127.0.0.1/health"

[[targets.casework.services]]
name = "jobs"
health_url = "http://127.0.0.1/jobs"
[targets.casework.services.environment_from]
KEY = "JOBS_KEY"

[targets.casework.freeze]
periods = [
  { from = 2026-12-20, to = 2027-01-03, why = "Year end" },
]
[operators."dana.ruiz"]
id = "U1"
name = "Dana"
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_DATABASE_URL", "postgresql://db.example/app")


def mistake(folder: Path, old: str, new: str) -> str:
    """What is said of the file with a mistake in it, without the file's name."""
    assert 1 == FILE.count(old)
    file = folder / "targets.toml"
    file.write_text(FILE.replace(old, new))
    with pytest.raises(ConfigurationError) as error:
        targets_of(read_targets(file), base=folder)
    return str(error.value).replace(f"{file}, ", "")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("targets", "casework"), 2),
        (("targets", "casework", "channel"), 4),
        (("targets", "casework", "orphan_checks", "cases"), 10),
        (("targets", "casework", "policy", "approvers", 1), 13),
        (("targets", "casework", "policy", "quorum"), 17),
        (("targets", "casework", "services", 0, "name"), 20),
        (("targets", "casework", "services", 1), 23),
        (("targets", "casework", "services", 1, "health_url"), 25),
        (("targets", "casework", "services", 1, "environment_from", "KEY"), 27),
        (("targets", "casework", "services", 1, "replicas"), 23),
        (("targets", "casework", "freeze", "periods", 0, "from", "date"), 31),
        (("operators", "dana.ruiz", "id"), 34),
        (("targets", "other"), 2),
        (("nothing",), None),
    ],
)
def test_the_line_of_an_entry(path: tuple[str | int, ...], line: int | None) -> None:
    """Of the entry, or of the nearest one above it; texts and lists over several lines do not shift it."""
    assert line == Places(FILE).line(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("quorum = 2", "quorm = 2", "line 17: targets.casework.policy.quorm: There is no such setting."
         " Did you mean quorum?"),
        ("backups =", "back_ups =", "Did you mean backups?"),
        ('channel = "C1"', 'channel = "C1"\nquorum = 2', "line 5: targets.casework.quorum: There is no such setting"
         " here. It belongs under targets.casework.policy."),
        ("quorum = 2", "xyzzy = 2", "There is no such setting. Remove it; there are: approvers, on_call, owners,"),
        ("[targets.casework.freeze]", "[targets.casework.frieze]", "line 29: targets.casework.frieze: There is no such"
         " setting. Did you mean freeze?"),
        ('name = "jobs"', 'nam = "jobs"', "line 23: targets.casework.services.1.name: name is not there. Write it."),
        ('name = "jobs"', 'nam = "jobs"', "line 24: targets.casework.services.1.nam: There is no such setting."
         " Did you mean name?"),
        ("quorum = 2", 'quorum = "s3cret"', "line 17: targets.casework.policy.quorum: "),
        ("# what", "[targts]\n# what", "line 1: targts: There is no such setting. Did you mean targets?"),
        ('KEY = "JOBS_KEY"', '', "line 7: targets.casework.announcement: "),
        ('announcement = "gone.txt"', 'dump_jobs = 1', "line 26: targets.casework.services.1.environment_from names"
         " the environment variable JOBS_KEY, which is not set. Set it, or JOBS_KEY_FILE."),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_its_remedy(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Misspelt, misplaced, missing, of the wrong kind, or naming what is not there; no value is shown."""
    said = mistake(tmp_path, old, new)
    assert any(each.startswith(says) or says in each for each in said.splitlines()), said
    assert "s3cret" not in said


def test_two_targets_on_one_database_are_named_with_the_second(tmp_path: Path) -> None:
    """The line to change is that of the later one."""
    again = '[targets.again]\ndsn_env = "CASEWORK_DATABASE_URL"\nchannel = "C1"\nmigrations = "m"\nbackups = "b"\n'
    policy = '[targets.again.policy]\napprovers = ["U1"]\n'
    file = tmp_path / "targets.toml"
    file.write_text(
        f"[targets.casework]\n{again.split(chr(10), 1)[1]}{policy.replace('again', 'casework')}{again}{policy}"
    )
    with pytest.raises(ConfigurationError, match=r"line 9: Targets casework and again are the same database"):
        targets_of(read_targets(file), base=tmp_path)
