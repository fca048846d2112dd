"""Settings: a mistake is named with its place and its remedy, and secrets are never shown."""

from pathlib import Path

import pytest

from bot.runbook.people import Timing
from bot.settings import (
    ConfigurationError,
    Settings,
    SlackSettings,
    read_settings,
    read_targets,
    targets_of,
)

DSN = "postgresql://bot:s3cret@db.example/app"
GOOD = """\
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "C1"
migrations = "migrations"
backups = "backups"
{more}
[targets.casework.policy]
approvers = ["U2", "S0DBA0001"]
{policy}
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target's connection string is there."""
    monkeypatch.setenv("CASEWORK_DATABASE_URL", DSN)


def _file(folder: Path, *, more: str = "", policy: str = "") -> Path:
    file = folder / "targets.toml"
    file.write_text(GOOD.format(more=more, policy=policy))
    return file


def test_a_complete_file_gives_targets_with_folders_relative_to_it(tmp_path: Path) -> None:
    """The defaults are the runbook's."""
    target = targets_of(read_targets(_file(tmp_path)), base=tmp_path)["casework"]
    assert (DSN, "app", "C1", Timing(), 1, False) == (
        target.dsn,
        target.database,
        target.channel,
        target.timing,
        target.policy.quorum,
        target.policy.self_approval,
    )
    assert (tmp_path / "migrations", tmp_path / "backups") == (target.migrations, target.backups)
    assert frozenset({"U2", "S0DBA0001"}) == target.policy.approvers


MISTAKES = {
    "targets.casework.dumpjobs": {"more": "dumpjobs = 3"},
    "targets.casework.dump_jobs": {"more": "dump_jobs = 0"},
    "targets.casework.speed": {"more": "speed = -1"},
    "targets.casework.lock_timeouts.0": {"more": "lock_timeouts = [-5]"},
    "targets.casework.statement_timeout": {"more": 'statement_timeout = "long"'},
    "targets.casework.policy.quorum": {"policy": "quorum = 0"},
    "targets.casework.policy.approver": {"policy": 'approver = ["U1"]'},
    "targets.casework.services.0.health_url": {"policy": '[[targets.casework.services]]\nname = "web"'},
    "operators.root.id": {"policy": '[operators.root]\nname = "Root"'},
}


@pytest.mark.parametrize("entry", MISTAKES)
def test_a_wrong_entry_is_named_with_its_file(tmp_path: Path, entry: str) -> None:
    """Whoever reads the error knows which line to change, and to what."""
    file = _file(tmp_path, **MISTAKES[entry])
    with pytest.raises(ConfigurationError) as error:
        read_targets(file)
    assert [f"{file}: {entry}: "] == [line[: len(f"{file}: {entry}: ")] for line in str(error.value).splitlines()]


def test_several_mistakes_are_all_named(tmp_path: Path) -> None:
    """One look, not one look a mistake."""
    file = _file(tmp_path, more="dump_jobs = 0\nspeed = 0", policy="quorum = 0")
    with pytest.raises(ConfigurationError) as error:
        read_targets(file)
    assert 3 == len(str(error.value).splitlines())


def test_a_file_without_approvers_is_refused(tmp_path: Path) -> None:
    """A target nobody may approve could never be migrated."""
    file = tmp_path / "targets.toml"
    file.write_text(GOOD.format(more="", policy="").replace('["U2", "S0DBA0001"]', "[]"))
    with pytest.raises(ConfigurationError, match=r"targets\.casework\.policy\.approvers"):
        read_targets(file)


def test_broken_toml_is_named_with_its_line(tmp_path: Path) -> None:
    """The parser's own place."""
    file = tmp_path / "targets.toml"
    file.write_text("[targets.casework\n")
    with pytest.raises(ConfigurationError, match=r"targets\.toml is not valid TOML.*line 1.*Mend"):
        read_targets(file)


def test_a_missing_file_says_which_variable_names_it(tmp_path: Path) -> None:
    """The remedy is in the sentence."""
    with pytest.raises(ConfigurationError, match=r"no targets file at .*nowhere\.toml\. Set TARGETS_FILE"):
        read_targets(tmp_path / "nowhere.toml")


def test_a_missing_connection_string_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry, and the variable to set."""
    monkeypatch.delenv("CASEWORK_DATABASE_URL")
    with pytest.raises(ConfigurationError, match=r"targets\.casework\.dsn_env .*CASEWORK_DATABASE_URL.* Set it"):
        targets_of(read_targets(_file(tmp_path)), base=tmp_path)


def test_what_is_no_connection_string_is_named_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake in a secret does not print the secret."""
    monkeypatch.setenv("CASEWORK_DATABASE_URL", "postgres s3cret")
    with pytest.raises(ConfigurationError, match=r"targets\.casework\.dsn_env .*postgresql://USER") as error:
        targets_of(read_targets(_file(tmp_path)), base=tmp_path)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "same",
    [DSN, "postgres://bot:other@db.example:5432/app", "host=db.example dbname=app user=bot password=x"],
    ids=["to the letter", "spelled another way", "key and value"],
)
def test_two_targets_on_one_database_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same: str) -> None:
    """One active run per database: two names for one database would get around it."""
    monkeypatch.setenv("OTHER_DATABASE_URL", same)
    file = _file(tmp_path)
    other = GOOD.format(more="", policy="").replace("casework", "other").replace("CASEWORK_", "OTHER_")
    file.write_text(file.read_text() + other)
    with pytest.raises(ConfigurationError, match="Targets casework and other are the same database"):
        targets_of(read_targets(file), base=tmp_path)


def test_two_databases_on_one_server_are_two_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the database counts."""
    monkeypatch.setenv("OTHER_DATABASE_URL", DSN.replace("/app", "/other"))
    file = _file(tmp_path)
    other = GOOD.format(more="", policy="").replace("casework", "other").replace("CASEWORK_", "OTHER_")
    file.write_text(file.read_text() + other)
    assert {"casework", "other"} == targets_of(read_targets(file), base=tmp_path).keys()


def test_speed_shortens_waits_and_never_work(tmp_path: Path) -> None:
    """What is measured in the runbook's minutes passes faster; a lost job is looked for as often as ever."""
    timing = targets_of(read_targets(_file(tmp_path, more="speed = 60")), base=tmp_path)["casework"].timing
    assert (15.0, 30.0, 60.0, 60.0) == (timing.status_every, timing.monitor_for, timing.kick_every, timing.speed)


def test_secrets_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by repr nor by str: not of settings, of targets, or of services with their environment."""
    monkeypatch.setenv("APP_URL", "postgresql://app:hidden@db/app")
    service = (
        '[[targets.casework.services]]\nname = "web"\nhealth_url = "http://127.0.0.1/health"\n'
        'environment_from = { DATABASE_URL = "APP_URL" }'
    )
    targets = targets_of(read_targets(_file(tmp_path, policy=service)), base=tmp_path)
    assert (("DATABASE_URL", "postgresql://app:hidden@db/app"),) == targets["casework"].services[0].environment
    slack = SlackSettings(bot_token="xoxb-s3cret", app_token="xapp-s3cret", signing_secret="s3cret")
    settings = Settings(database_url=DSN, slack=slack)
    shown = f"{targets!r} {targets['casework']!s} {settings!r} {settings!s} {settings.model_dump_json()}"
    assert "s3cret" not in shown and "hidden" not in shown


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": DSN, "SLACK__APP_TOKEN": "xapp-s3cret"}, "SLACK__BOT_TOKEN"),
        ({"DATABASE_URL": DSN, "SLACK__BOT_TOKEN": "xoxb-1", "SLACK__PORT": "s3cret"}, "SLACK__PORT"),
    ],
)
def test_a_missing_or_wrong_variable_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    """The variable's own name, as it is typed."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{named}: .*Set the environment variable {named}\.$") as error:
        read_settings()
    assert "s3cret" not in str(error.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two underscores go into a group."""
    for name, value in {"DATABASE_URL": DSN, "SLACK__BOT_TOKEN": "xoxb-1", "SLACK__SIGNING_SECRET": "x"}.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert DSN == settings.database_url.get_secret_value()
    assert "xoxb-1" == settings.slack_or_refuse().bot_token.get_secret_value()


@pytest.mark.parametrize(
    ("slack", "says"),
    [(None, "SLACK__BOT_TOKEN"), (SlackSettings(bot_token="xoxb-1"), "SLACK__APP_TOKEN for Socket Mode")],
)
def test_without_a_way_to_reach_slack_the_web_process_says_what_to_set(slack: SlackSettings | None, says: str) -> None:
    """A token alone is not a way to be reached."""
    with pytest.raises(ConfigurationError, match=says):
        Settings(database_url=DSN, slack=slack).slack_or_refuse()
