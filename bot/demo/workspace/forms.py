"""What a person enters into a form, as the `state.values` that Slack sends."""

from collections.abc import Mapping
from typing import Any

from bot.demo.workspace.elements import SHAPES, elements

Json = dict[str, Any]


def filled(view: Json, values: Mapping[str, Any]) -> Json:
    """`state.values` for what a person enters, each in the shape of its block's element.

    Options are named by their `value`; dates are `YYYY-MM-DD`, times `HH:MM`, moments epoch seconds.
    """
    told: Json = {}
    for block, element in elements(view["blocks"]):
        shape = SHAPES.get(element["type"])
        if shape is None or block["block_id"] not in values:
            continue
        value = _shaped(element, shape.key, values[block["block_id"]])
        told.setdefault(block["block_id"], {})[element["action_id"]] = {
            "type": element["type"],
            shape.key: value,
        }
    if unknown := set(values) - set(told):
        raise KeyError(f"The form has no such fields: {sorted(unknown)}")
    return told


def _shaped(element: Mapping[str, Any], key: str, value: Any) -> Any:
    if value is None:
        return None
    if key == "selected_option":
        return _option(element, value)
    if key == "selected_options":
        return [_option(element, one) for one in value]
    return list(value) if key.startswith("selected_") and isinstance(value, tuple) else _plain(key, value)


def _plain(key: str, value: Any) -> Any:
    return str(value) if key == "value" else value


def _option(element: Mapping[str, Any], value: Any) -> Any:
    groups = [element, *(element.get("option_groups") or ())]
    options = [o for group in groups for o in group.get("options") or ()]
    found = next((o for o in options if o["value"] == str(value)), None)
    if found is None:
        raise KeyError(f"No option {value!r}; there are {[o['value'] for o in options]}")
    return found
