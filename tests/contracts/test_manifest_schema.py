"""The manifest against Slack's own schema."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.manifest import manifest


def _schema(facts: Path) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads((facts / "slack" / "manifest.schema.json").read_text()))


def test_the_manifest_is_what_slack_takes(facts: Path) -> None:
    """api.slack.com would create the app from it."""
    assert [] == [f"{error.json_path}: {error.message}" for error in _schema(facts).iter_errors(manifest())]


@pytest.mark.parametrize(
    "wrong",
    [
        {"display_information": {}},
        {"settings": {"socket_mode_enabled": "yes"}},
        {"features": {"slash_commands": [{"command": "/migrate"}]}},
    ],
)
def test_the_schema_refuses_what_is_wrong(facts: Path, wrong: dict[str, object]) -> None:
    """A schema that takes everything would prove nothing."""
    assert [] != list(_schema(facts).iter_errors({**manifest(), **wrong}))
