"""Settings: a mistake is named with its place and its remedy, and secrets are never shown."""

import re
from pathlib import Path

import pytest

from bot.runbook.people import Timing
from bot.runbook.rungs import Envelope
from bot.settings import (
    ConfigurationError,
    Settings,
    SlackSettings,
    read_settings,
    read_targets,
    targets_of,
)
from bot.target import StandbyPolicy

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


@pytest.mark.parametrize(("more", "seconds"), [("", 300.0), ("follow_up_minutes = 10", 600.0), ("speed = 60", 5.0)])
def test_the_pace_after_a_run_is_a_setting_and_a_demos_time_runs_through_it(
    tmp_path: Path, more: str, seconds: float
) -> None:
    """Every five minutes, unless it is said otherwise."""
    target = targets_of(read_targets(_file(tmp_path, more=more)), base=tmp_path)["casework"]
    assert seconds == target.timing.follow_every


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


def test_a_target_brings_its_own_announcement(tmp_path: Path) -> None:
    (tmp_path / "heads-up.txt").write_text("Heads up: $name")
    target = targets_of(read_targets(_file(tmp_path, more='announcement = "heads-up.txt"')), base=tmp_path)["casework"]
    assert target.announcement == "Heads up: $name"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        targets_of(read_targets(_file(tmp_path, more='announcement = "gone.txt"')), base=tmp_path)


WAY_BACK = """\
workflows = { "case search" = "http://127.0.0.1/search", "dashboard" = "http://127.0.0.1/dashboard" }
standby = "restore"
[targets.casework.rollback]
auto = true
deadline_hours = 0.5
envelope_rows = 0
envelope_minutes = 2.5
"""


def test_rules_of_the_second_opinion_are_left_out_for_each_target(tmp_path: Path) -> None:
    """By their names."""
    target = targets_of(read_targets(_file(tmp_path, more='squawk_exclude = ["prefer-text-field"]')), base=tmp_path)
    assert ("prefer-text-field",) == target["casework"].squawk_exclude


def test_the_way_back_is_configured_for_each_target(tmp_path: Path) -> None:
    """Workflows in their order, the standby copy, and how far and until when the bot may go back."""
    target = targets_of(read_targets(_file(tmp_path, more=WAY_BACK)), base=tmp_path)["casework"]
    expected = [("case search", "http://127.0.0.1/search"), ("dashboard", "http://127.0.0.1/dashboard")]
    assert expected == [(each.name, each.url) for each in target.workflows]
    assert (StandbyPolicy.RESTORE, True, 1800.0) == (target.standby, target.auto_rollback, target.rollback_deadline)
    assert Envelope(rows=0, minutes=2.5) == target.envelope


def test_without_a_word_nothing_goes_back_by_itself(tmp_path: Path) -> None:
    """No envelope, no deadline, no workflow; the standby copy is made where it can be."""
    target = targets_of(read_targets(_file(tmp_path)), base=tmp_path)["casework"]
    assert (False, None, None, ()) == (
        target.auto_rollback, target.envelope, target.rollback_deadline, target.workflows
    )  # fmt: skip
    assert StandbyPolicy.AUTO is target.standby


@pytest.mark.parametrize(
    ("half", "says"),
    [
        ("envelope_rows = 0", "envelope_rows stands alone. Write envelope_minutes = 15 "),
        ("envelope_minutes = 5", "envelope_minutes stands alone. Write envelope_rows = 0 "),
    ],
)
def test_half_an_envelope_is_refused(tmp_path: Path, half: str, says: str) -> None:
    """Rows without minutes, or minutes without rows, would be no limit."""
    file = _file(tmp_path, policy=f"[targets.casework.rollback]\n{half}")
    with pytest.raises(ConfigurationError) as error:
        read_targets(file)
    assert str(error.value).startswith(f"{file}, line 9: targets.casework.rollback: {says}")


MISTAKES = {
    "targets.casework.dumpjobs": {"more": "dumpjobs = 3"},
    "targets.casework.dump_jobs": {"more": "dump_jobs = 0"},
    "targets.casework.speed": {"more": "speed = -1"},
    "targets.casework.lock_timeouts.0": {"more": "lock_timeouts = [-5]"},
    "targets.casework.statement_timeout": {"more": 'statement_timeout = "long"'},
    "targets.casework.policy.quorum": {"policy": "quorum = 0"},
    "targets.casework.policy.approver": {"policy": 'approver = ["U1"]'},
    "targets.casework.services.0.health_url": {"policy": '[[targets.casework.services]]\nname = "web"'},
    "targets.casework.squawk_exclude.0": {"more": 'squawk_exclude = ["--config=/etc/passwd"]'},
    "targets.casework.standby": {"more": 'standby = "copy"'},
    "targets.casework.workflows.search": {"more": "workflows = { search = 1 }"},
    "targets.casework.rollback.deadline_hours": {"policy": "[targets.casework.rollback]\ndeadline_hours = inf"},
    "targets.casework.rollback.envelope_rows": {
        "policy": "[targets.casework.rollback]\nenvelope_rows = -1\nenvelope_minutes = 5"
    },
    "targets.casework.rollback.envelope_minutes": {
        "policy": "[targets.casework.rollback]\nenvelope_rows = 1\nenvelope_minutes = 0"
    },
    "targets.casework.rollback.automatic": {"policy": "[targets.casework.rollback]\nautomatic = true"},
    "operators.root.id": {"policy": '[operators.root]\nname = "Root"'},
}


@pytest.mark.parametrize("entry", MISTAKES)
def test_a_wrong_entry_is_named_with_its_file(tmp_path: Path, entry: str) -> None:
    """Whoever reads the error knows which line to change, and to what."""
    file = _file(tmp_path, **MISTAKES[entry])
    with pytest.raises(ConfigurationError) as error:
        read_targets(file)
    (found,) = [re.fullmatch(r"(.+), line (\d+): (.+?): .+[.?]", each) for each in str(error.value).splitlines()]
    assert found is not None
    assert (str(file), entry) == (found[1], found[3])
    line = file.read_text().splitlines()[int(found[2]) - 1]
    written = [part for part in entry.split(".") if not part.isdigit() and part in line]
    assert written, f"{entry} is not what stands on line {found[2]}: {line}"


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
    with pytest.raises(ConfigurationError, match=rf"^{named}: .*Set the environment variable {named}\b.*\.$") as error:
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


FREEZE = """
[targets.casework.staging]
dsn_env = "CASEWORK_STAGING_URL"
[targets.casework.freeze]
ics = "freeze.ics"
zone = "Europe/Bucharest"
warn_days = 5
periods = [
    {from = 2026-12-20, to = 2027-01-03, why = "Year end"},
    {from = 2026-11-27T18:00:00Z, to = 2026-11-28T06:00:00, why = "Friday"},
]
"""


def test_staging_and_freezes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole days, the last one included, and times, both in the freeze's own zone."""
    monkeypatch.setenv("CASEWORK_STAGING_URL", "postgresql://bot:s3cret@db.example/staging")
    target = targets_of(read_targets(_file(tmp_path, policy=FREEZE)), base=tmp_path)["casework"]

    assert "postgresql://bot:s3cret@db.example/staging" == target.staging_dsn
    assert (str(tmp_path / "freeze.ics"), 5 * 86400.0) == (target.freeze_ics, target.freeze_warning)
    year_end, friday = target.freezes
    assert (1797717600.0, 1799013600.0) == (year_end.start, year_end.end)  # 2026-12-19 and 2027-01-03, 22:00 UTC
    assert 10 * 3600.0 == friday.end - friday.start
    assert "s3cret" not in repr(target)


def test_staging_that_is_the_target_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would prove nothing."""
    monkeypatch.setenv("CASEWORK_STAGING_URL", DSN)
    with pytest.raises(ConfigurationError, match="is the target's own database"):
        targets_of(read_targets(_file(tmp_path, policy=FREEZE)), base=tmp_path)


def test_a_calendars_address_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold a key, so it is never shown; without TLS it is refused."""
    file = _file(tmp_path, policy='[targets.casework.freeze]\nics_env = "FREEZES"')
    monkeypatch.setenv("FREEZES", "https://calendar.example/key-123.ics")
    target = targets_of(read_targets(file), base=tmp_path)["casework"]
    assert "https://calendar.example/key-123.ics" == target.freeze_ics
    assert "key-123" not in repr(target)

    monkeypatch.setenv("FREEZES", "http://calendar.example/key-123.ics")
    with pytest.raises(ConfigurationError, match="holds no https address") as caught:
        targets_of(read_targets(file), base=tmp_path)
    assert "key-123" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('ics = "a.ics"\nics_env = "B"', "both ics and ics_env"),
        ('ics = "http://calendar.example/a.ics"', "begin with https://"),
        ('zone = "Mars/Olympus"', "is no time zone"),
        ('periods = [{from = 2026-12-20, to = 2026-12-18, why = "x"}]', "ends before it begins"),
        ('periods = [{from = 2026-12-20, why = "x"}]', "to"),
    ],
)
def test_freezes_that_make_no_sense(tmp_path: Path, wrong: str, words: str) -> None:
    """Each with its place and its remedy."""
    with pytest.raises(ConfigurationError, match=words):
        read_targets(_file(tmp_path, policy=f"[targets.casework.freeze]\n{wrong}"))


PRISMA = """\
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "C1"
backups = "backups"
{more}
[targets.casework.policy]
approvers = ["U2"]
"""


def test_prisma_migrations_are_where_prisma_looks_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the schema file, or in the schema's folder; secrets of its command come from the environment."""
    monkeypatch.setenv("NPM", "npm_s3cret")
    more = '[targets.casework.prisma]\nschema = "db/prisma/schema.prisma"\nenvironment_from = { NPM_TOKEN = "NPM" }'
    (tmp_path / "targets.toml").write_text(PRISMA.format(more=more))

    target = targets_of(read_targets(tmp_path / "targets.toml"), base=tmp_path)["casework"]

    assert tmp_path / "db/prisma/migrations" == target.migrations
    assert target.prisma is not None
    assert (("npx", "prisma"), ("DATABASE_URL",), "public") == (
        target.prisma.command,
        target.prisma.url_variables,
        target.prisma.database_schema,
    )
    assert (("NPM_TOKEN", "npm_s3cret"),) == target.prisma.environment
    assert "npm_s3cret" not in repr(target)


def test_a_target_without_any_migrations_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "targets.toml").write_text(PRISMA.format(more=""))

    with pytest.raises(ConfigurationError, match=r'Write migrations = "migrations", or add a \[prisma\] table'):
        read_targets(tmp_path / "targets.toml")
