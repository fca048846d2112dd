"""The example targets file loads and has every setting there is; the editors' schema is the models' own."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.cli import main
from bot.settings import TargetsFile, placed, read_targets, targets_of
from bot.settings.schema import NAME, schema_text
from bot.wiring_outside import outside_of
from bot.wiring_sources import sources_of
from integrations.render.configured import sites_of

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLE = DOCS / "targets.example.toml"
SCHEMA: Mapping[str, Any] = TargetsFile.model_json_schema()


def _settings() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every setting of every table, with what the schema says of it."""
    for table in (SCHEMA, *SCHEMA["$defs"].values()):
        yield from table.get("properties", {}).items()


def test_the_example_loads_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variables that it names; everything outside of the bot is made from it."""
    for variable in re.findall(r'(?m)^(?!#).*?_env = "(\w+)"', EXAMPLE.read_text("utf-8")):
        monkeypatch.setenv(variable, f"postgresql://owner@db.example/{variable.lower()}")
    for variable in ("RENDER_API_KEY", "NPM_TOKEN", "CASEWORK_SMOKE_TOKEN"):
        monkeypatch.setenv(variable, "x")
    file = read_targets(EXAMPLE)
    with placed(file):
        targets, outside, sites = targets_of(file, base=DOCS), outside_of(file, base=DOCS), sites_of(file)
        sources = sources_of(file, sites)
    assert ["billing", "casework"] == sorted(targets)
    assert ["billing"] == sorted(sites)
    assert outside["casework"].mail and outside["casework"].pager and outside["casework"].status_page
    assert targets["billing"].prisma is not None
    assert {"casework": ["New Relic", "Prometheus"], "billing": ["Render"]} == {
        name: [each.name for each in found] for name, found in sources.items()
    }


def test_every_setting_is_in_the_example() -> None:
    """Written down, or shown with its default behind a #."""
    text = EXAMPLE.read_text("utf-8")
    missing = [name for name, _ in _settings() if not re.search(rf"(?m)(^|[\s#{{\[.]){name}(\s*=|[\].])", text)]
    assert [] == missing


def test_defaults_in_the_example_are_the_defaults() -> None:
    """What stands behind a # is what holds without it."""
    shown = re.findall(r"(?m)^# (\w+) = (\[[^\]]*\]|\"[^\"]*\"|[\d.]+) *(?:#.*)?$", EXAMPLE.read_text("utf-8"))
    defaults: dict[str, list[Any]] = {}
    for name, each in _settings():
        defaults.setdefault(name, []).append(each.get("default"))
    said = [(name, tomllib.loads(f"value = {written}")["value"]) for name, written in shown]
    assert len(said) >= 8
    no_default = ("announcement", "client_tools", "ca_file", "ics_env", "follow_up_speed")
    assert [] == [each for each in said if each[0] not in no_default and each[1] not in defaults[each[0]]]


def test_the_committed_schema_is_the_models_own(capsys: pytest.CaptureFixture[str]) -> None:
    """As ``python -m bot schema`` prints it; it needs no environment."""
    assert 0 == main(["schema"])
    assert capsys.readouterr().out == schema_text() == (DOCS / NAME).read_text("utf-8")


def test_every_setting_is_described_in_the_schema() -> None:
    """Editors show it where the key is written."""
    assert [] == [name for name, each in _settings() if not each.get("description")]


def test_the_example_is_valid_by_the_schema_that_it_names() -> None:
    """Taplo finds it by the first line."""
    text = EXAMPLE.read_text("utf-8")
    assert text.startswith(f"#:schema {NAME}\n")
    document = tomllib.loads(text)
    document["targets"]["casework"]["freeze"]["periods"] = []  # JSON knows no dates
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    document["targets"]["casework"]["dumpjobs"] = 1
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(document))
