"""Where the recorded payloads of Slack's official SDKs are: beside the checkout, not in it."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def facts() -> Path:
    """The folder of looked-up facts; without it CI fails and a laptop skips. MIGRATE_BOT_FACTS moves it."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "facts"
    folder = Path(os.environ.get("MIGRATE_BOT_FACTS") or beside)
    if not folder.is_dir():
        reason = f"the folder of recorded payloads is missing: {folder} (set MIGRATE_BOT_FACTS)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
