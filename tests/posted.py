"""By what a posted message is known."""

from collections.abc import Mapping
from typing import Any

KEYS = "coalesce('file:' || file_name, key)"
"""The same of a letter in the outbox, as SQL."""


def key_of(message: Mapping[str, Any]) -> str:
    """A letter's key; a file has none but its name."""
    if message.get("files"):
        return f"file:{message['files'][0]['name']}"
    return str(message["metadata"]["event_payload"]["key"])
