"""``[targets.NAME.render]``: every mistake is named with its place and its remedy, and the key is never shown."""

from pathlib import Path

import pytest

from bot.settings import ConfigurationError, read_targets
from integrations.render.configured import sites_of

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

[targets.casework.render]
postgres = "dpg-abc123-a"
{more}

[targets.casework.render.services]
{services}
"""
KEY = "rnd_hunter22"  # the key of these tests


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENDER_API_KEY", KEY)


def written(folder: Path, *, more: str = "", services: str = 'web = "srv-abc1"') -> Path:
    file = folder / "targets.toml"
    file.write_text(TARGETS.format(more=more, services=services))
    return file


def test_a_target_on_render_has_a_site(tmp_path: Path) -> None:
    """Ids as written, the key from the environment, defaults for the rest; no key in its representation."""
    site = sites_of(read_targets(written(tmp_path)))["casework"]
    assert ({"web": "srv-abc1"}, KEY, "dpg-abc123-a", "https://api.render.com/v1", 2.0) == (
        site.services, site.key, site.postgres, site.url, site.patience.look
    )  # fmt: skip
    assert KEY not in repr(site)


def test_the_variable_of_the_key_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workspaces of Render have two keys."""
    monkeypatch.setenv("OTHER_KEY", "rnd_other")
    file = read_targets(written(tmp_path, more='api_key_env = "OTHER_KEY"\nurl = "http://127.0.0.1:4010"'))
    site = sites_of(file)["casework"]
    assert ("rnd_other", "OTHER_KEY", "http://127.0.0.1:4010") == (site.key, site.key_name, site.url)


def test_an_export_needs_its_database(tmp_path: Path) -> None:
    """Otherwise there would be nothing to export."""
    file = written(tmp_path, more="export = true")
    assert sites_of(read_targets(file))["casework"].export
    file.write_text(file.read_text().replace('postgres = "dpg-abc123-a"', ""))
    with pytest.raises(ConfigurationError, match='Write postgres = "dpg-…" beside it'):
        read_targets(file)


def test_a_key_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the entry that names it."""
    monkeypatch.delenv("RENDER_API_KEY")
    with pytest.raises(ConfigurationError, match=r"targets\.casework\.render\.api_key_env .* RENDER_API_KEY"):
        sites_of(read_targets(written(tmp_path)))


@pytest.mark.parametrize(
    ("more", "services", "says"),
    [
        ("", 'web = "casework-web"', r"render\.services\.web: .*srv\|crn"),
        ("", 'web = "dpg-abc1"', r"render\.services\.web: "),
        ("", 'web = "srv-1"\nworker = "srv-2"', "render.services names worker, which is no service of the target"),
        ("", "", r"render\.services: "),
        ("", 'api = "srv-1"', 'render.services lacks web. Write web = "srv-…"'),
        ('postgres_id = "x"', 'web = "srv-1"', r"render\.postgres_id: "),
        ('job_service = "srv-1"', 'web = "srv-1"', "Name one that is not in services"),
        ('job_service = "casework"', 'web = "srv-1"', r"render\.job_service: "),
        ('url = "http://api.render.com/v1"', 'web = "srv-1"', "Write an https:// address"),
        ('url = "api.render.com"', 'web = "srv-1"', "Write an https:// address"),
        ("look_seconds = 0", 'web = "srv-1"', r"render\.look_seconds: "),
        ("look_seconds = inf", 'web = "srv-1"', r"render\.look_seconds: "),
        ('api_key_env = ""', 'web = "srv-1"', r"render\.api_key_env: "),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, more: str, services: str, says: str) -> None:
    """The file, the entry, and what to write."""
    file = written(tmp_path, more=more, services=services)
    with pytest.raises(ConfigurationError, match=says) as it:
        read_targets(file)
    assert str(file) in str(it.value)
