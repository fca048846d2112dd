"""The JSON Schema of the targets file, for editors (Taplo, VS Code): completion, descriptions, and mistakes marked."""

import json

from bot.settings.models import TargetsFile

NAME = "targets.schema.json"


def schema_text() -> str:
    """``docs/targets.schema.json`` as it is committed."""
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": NAME}  # the newest that Taplo reads
    return json.dumps({**head, **TargetsFile.model_json_schema()}, indent=2, ensure_ascii=False) + "\n"
