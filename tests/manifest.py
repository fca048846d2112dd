"""The Slack app's manifest, as tests read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[1] / "manifest.yml"


def manifest() -> Mapping[str, Any]:
    """What ``manifest.yml`` says."""
    found: Mapping[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def scopes() -> tuple[str, ...]:
    """The bot scopes it asks for."""
    return tuple(manifest()["oauth_config"]["scopes"]["bot"])
