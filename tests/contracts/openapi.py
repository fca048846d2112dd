"""An OpenAPI document as a judge: the schemas of each operation, and what in an exchange breaks them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request with its answer, as they went over the wire; ``path`` is without the server's prefix."""

    method: str
    path: str
    query: tuple[str, ...]
    body: Any
    status: int
    answer: Any


class Document:
    """The operations of one document."""

    def __init__(self, file: Path) -> None:
        self._document: Json = _as_json_schema(json.loads(file.read_text("utf-8")))

    def problems(self, exchange: Exchange) -> list[str]:
        """What the document does not allow in it; an operation that it does not know is one problem."""
        operation = self._operation(exchange)
        if operation is None:
            return [f"{exchange.method} {exchange.path} is in no operation"]
        found = [f"unknown query {name}" for name in exchange.query if name not in self._queries(operation)]
        found += self._broken("request", self._resolved(operation).get("requestBody"), exchange.body)
        answers = operation["responses"]
        answer = answers.get(str(exchange.status)) or answers.get(f"{exchange.status // 100}XX")
        if answer is None:
            return [*found, f"answers {exchange.status}, which is not declared"]
        return found + self._broken("answer", self._resolved(answer), exchange.answer)

    def _operation(self, exchange: Exchange) -> Json | None:
        for template, operations in self._document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, exchange.path) and exchange.method.lower() in operations:
                found: Json = operations[exchange.method.lower()]
                return found
        return None

    def _queries(self, operation: Json) -> set[str]:
        return {each["name"] for each in map(self._resolved, operation.get("parameters", [])) if each["in"] == "query"}

    def _resolved(self, part: Json) -> Json:
        while "$ref" in part:
            found: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    def _broken(self, what: str, part: Json | None, value: Any) -> list[str]:
        schema = (self._resolved(part) if part else {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return []
        whole = {"components": self._document["components"], "allOf": [schema]}
        errors = Draft202012Validator(whole).iter_errors(value)
        return [f"{what} {each.json_path}: {each.message}" for each in errors]


def _as_json_schema(part: Any) -> Any:
    """OpenAPI 3.0's own words in JSON Schema's; a type that is none (Statuspage writes “Object”) says nothing."""
    if isinstance(part, list):
        return [_as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {name: _as_json_schema(value) for name, value in part.items()}
    if made.get("type") == "Object":
        del made["type"]
    if made.pop("nullable", False) and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made
