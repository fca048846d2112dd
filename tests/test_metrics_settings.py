"""What is measured of a target, as configured: mistakes by file and line, secrets by the names of their variables."""

from pathlib import Path

import pytest

from bot.runbook.thresholds import RUNBOOK
from bot.settings import ConfigurationError, read_targets, targets_of
from bot.target import HealthAnswer, Target, Workflow
from bot.wiring_sources import sources_of

TARGETS = """\
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "C1"
migrations = "migrations"
backups = "backups"

[targets.casework.policy]
approvers = ["U2"]

[[targets.casework.services]]
name = "web"
health_url = "https://casework.example/health"
{service}
"""
NEW_RELIC = '[targets.casework.newrelic]\naccount = 7\napps = ["web"]\n'
PROMETHEUS = "[targets.casework.prometheus]\nurl = 'http://prometheus.internal:9090'\nselector = 'job=\"web\"'\n"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_DATABASE_URL", "postgresql://db.example/app")
    monkeypatch.setenv("NEW_RELIC_API_KEY", "NRAK-hunter22")


def written(folder: Path, more: str = "", *, service: str = "") -> Path:
    file = folder / "targets.toml"
    file.write_text(TARGETS.format(service=service) + more)
    return file


def target(folder: Path, more: str = "", *, service: str = "") -> Target:
    return targets_of(read_targets(written(folder, more, service=service)), base=folder)["casework"]


def test_without_a_word_there_is_the_probe_alone(tmp_path: Path) -> None:
    """With the runbook's numbers, and the runbook's health answer."""
    found = target(tmp_path)
    assert (RUNBOOK, (), HealthAnswer()) == (found.thresholds, found.workflows, found.services[0].health)
    assert {"casework": ()} == sources_of(read_targets(tmp_path / "targets.toml"), {})


def test_the_runbooks_numbers() -> None:
    """Step 7, "Rollback Criteria" and "Key Metrics"."""
    assert (0.10, 0.05, 0.05) == (RUNBOOK.error_rate, RUNBOOK.failed_rate, RUNBOOK.connection_failures)
    assert (0.05, 1000, 0.90, 100) == (RUNBOOK.error_rate_alert, RUNBOOK.p95_ms, RUNBOOK.pool, RUNBOOK.latency_ms)


def test_a_workflow_is_a_whole_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets come from the environment, and no representation shows them."""
    monkeypatch.setenv("SMOKE_TOKEN", "hunter22")
    more = """\
[targets.casework.workflows]
search = "https://casework.example/search"
[targets.casework.workflows.upload]
method = "POST"
url = "https://casework.example/documents"
body = { name = "smoke" }
headers = { X-Smoke = "1" }
headers_env = { Authorization = "SMOKE_TOKEN" }
expect_status = 201
expect_json = { "items.0.stored" = true }
timeout = 8
"""
    search, upload = target(tmp_path, more).workflows
    assert Workflow(name="search", url="https://casework.example/search") == search
    assert upload == Workflow(
        name="upload", url="https://casework.example/documents", method="POST", json={"name": "smoke"},
        headers=(("X-Smoke", "1"), ("Authorization", "hunter22")), expect_status=201,
        expect_json=(("items.0.stored", True),), timeout=8.0,
    )  # fmt: skip
    assert "hunter22" not in repr(upload)
    monkeypatch.delenv("SMOKE_TOKEN")
    with pytest.raises(ConfigurationError, match=r"workflows\.upload\.headers_env names .* SMOKE_TOKEN"):
        target(tmp_path, more)


def test_a_service_may_have_a_health_answer_of_its_own(tmp_path: Path) -> None:
    """With paths into its JSON."""
    service = 'health = { expect = { "checks.0.state" = "up", ready = true }, database = "checks.0.state" }'
    found = target(tmp_path, service=service).services[0].health
    assert (("checks.0.state", "up"), ("ready", True)) == found.expect
    assert ("checks.0.state", "latency") == (found.database, found.latency)


@pytest.mark.parametrize(
    ("more", "variable"),
    [
        (NEW_RELIC + 'api_key_env = "NR_KEY"', "NR_KEY"),
        (PROMETHEUS.replace("http:", "https:") + 'token_env = "P_TOKEN"', "P_TOKEN"),
        (PROMETHEUS.replace("http:", "https:") + 'username = "bot"\npassword_env = "P_PASSWORD"', "P_PASSWORD"),
    ],
)
def test_a_secret_that_is_not_set_is_named(tmp_path: Path, more: str, variable: str) -> None:
    """By its variable and by the entry that wants it."""
    with pytest.raises(ConfigurationError, match=rf"targets\.casework\.\w+\.\w+_env names .* {variable}"):
        sources_of(read_targets(written(tmp_path, more)), {})


MISTAKES = {
    "account = 0": ("newrelic.account", NEW_RELIC.replace("account = 7", "account = 0")),
    "[targets.casework.newrelic]": ("newrelic", NEW_RELIC.replace('apps = ["web"]', "")),
    'region = "uk"': ("newrelic.region", NEW_RELIC + 'region = "uk"'),
    'apps = [""]': ("newrelic.apps.0", NEW_RELIC.replace('"web"', '""')),
    'entities = ["x\' OR 1"]': ("newrelic.entities.0", NEW_RELIC + 'entities = ["x\' OR 1"]'),
    "window_seconds = 5": ("newrelic.window_seconds", NEW_RELIC + "window_seconds = 5"),
    'api_key = "NRAK"': ("newrelic.api_key", NEW_RELIC + 'api_key = "NRAK"'),
    'url = "prometheus"': ("prometheus.url", '[targets.casework.prometheus]\nurl = "prometheus"\nselector = "a"'),
    'url = "https://u:p@h"': ("prometheus.url", '[targets.casework.prometheus]\nurl = "https://u:p@h"\nselector = "a"'),
    "queries.errors = 'x'": ("prometheus.queries.errors.[key]", PROMETHEUS + "queries.errors = 'x'"),
    "[targets.casework.thresholds]": ("thresholds", "[targets.casework.thresholds]\nerror_rate_alert = 0.2"),
    "error_rate = 10": ("thresholds.error_rate", "[targets.casework.thresholds]\nerror_rate = 10"),
    "p95_ms = inf": ("thresholds.p95_ms", "[targets.casework.thresholds]\np95_ms = inf"),
    'method = "get"': ("workflows.a.method", '[targets.casework.workflows.a]\nurl = "x"\nmethod = "get"'),
    "timeout = 60": ("workflows.a.timeout", '[targets.casework.workflows.a]\nurl = "x"\ntimeout = 60'),
    "[targets.casework.workflows.b]": ("workflows.b.url", '[targets.casework.workflows.b]\nmethod = "GET"'),
    "headers = { 'a b' = 'c' }": (
        "workflows.a.headers",
        "[targets.casework.workflows.a]\nurl = 'x'\nheaders = { 'a b' = 'c' }",
    ),
}


@pytest.mark.parametrize("written_there", MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, written_there: str) -> None:
    """The file, the line where it is written, and the entry."""
    entry, more = MISTAKES[written_there]
    file = written(tmp_path, more)
    with pytest.raises(ConfigurationError) as error:
        read_targets(file)
    line = file.read_text().splitlines().index(written_there) + 1
    assert str(error.value).startswith(f"{file}, line {line}: targets.casework.{entry}: ")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (PROMETHEUS + 'token_env = "T"', "url must begin with https"),
        (PROMETHEUS.replace("selector", "#"), "does not say whose metrics"),
        (PROMETHEUS + 'username = "bot"', "belong together"),
        (PROMETHEUS + 'username = "bot"\npassword_env = "P"\ntoken_env = "T"', "Write one of them"),
        (NEW_RELIC + 'url = "http://api.example.com"', "url must begin with https"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, more: str, says: str) -> None:
    """A secret goes nowhere unencrypted, and a Prometheus has many services' metrics."""
    with pytest.raises(ConfigurationError, match=says):
        read_targets(written(tmp_path, more))
