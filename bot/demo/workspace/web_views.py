"""Web API: views.*"""

from collections.abc import Mapping
from typing import Any

from bot.demo.workspace.core import Args, Core, Json
from bot.demo.workspace.errors import SlackError, refused
from bot.views.limits import view_problems


def checked(view: Any, kind: str) -> Mapping[str, Any]:
    """A view held to Slack's limits and to the surface it is meant for."""
    if not isinstance(view, Mapping) or not isinstance(view.get("blocks"), list):
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid view"]})
    found = view_problems(view)
    if any(p.pointer == "/view" and "kB" in p.message for p in found):
        raise SlackError("view_too_large")
    if view.get("type") != kind or found:
        raise refused("invalid_arguments", found)
    return view


def _view(args: Args, kind: str) -> Mapping[str, Any]:
    args.need("view")
    return checked(args.decoded("view", "invalid_arguments"), kind)


def open_view(core: Core, args: Args) -> Json:
    """views.open: costs a trigger_id."""
    args.need("trigger_id")
    view = _view(args, "modal")
    return {"view": core.views.open(core.tickets.redeem(args.get("trigger_id")), view)}


def push(core: Core, args: Args) -> Json:
    """views.push: costs a trigger_id."""
    args.need("trigger_id")
    view = _view(args, "modal")
    return {"view": core.views.push(core.tickets.redeem(args.get("trigger_id")), view)}


def update(core: Core, args: Args) -> Json:
    """views.update: by view_id or external_id; `hash` guards against races."""
    old = core.views.find(args.get("view_id"), args.get("external_id"))
    return {"view": core.views.update(old, _view(args, old["type"]), args.get("hash"))}


def publish(core: Core, args: Args) -> Json:
    """views.publish: the Home tab of one person."""
    user = str(args.need("user_id"))
    if core.seed.person(user) is None:
        raise SlackError("invalid_arguments")
    return {"view": core.views.publish(user, _view(args, "home"), args.get("hash"))}
