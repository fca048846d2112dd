"""Views: a person's stack of modals, and their Home; hashes, external ids and the state they hold."""

from collections.abc import Mapping
from typing import Any, Final

from bot.demo.workspace.elements import settle, state_values
from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.hub import Hub
from bot.demo.workspace.seed import Seed
from bot.demo.workspace.tickets import Ids

Json = dict[str, Any]
STACK: Final = 3
"""Modals on top of each other (docs.slack.dev/surfaces/modals)."""


class Views:
    """Every open view by id; `stack(user)` is a person's modals, top last."""

    def __init__(self, seed: Seed, ids: Ids, hub: Hub) -> None:
        self._seed, self._ids, self._hub = seed, ids, hub
        self._views: dict[str, Json] = {}
        self._stacks: dict[str, list[str]] = {}
        self._homes: dict[str, str] = {}

    def get(self, view_id: object) -> Json:
        """A view that is open; `not_found` otherwise."""
        found = self._views.get(str(view_id))
        if found is None:
            raise SlackError("not_found")
        return found

    def home(self, user: str) -> Json | None:
        """The Home tab published for a person."""
        return self._views.get(self._homes.get(user, ""))

    def stack(self, user: str) -> list[str]:
        """Ids of a person's open modals, top last."""
        return self._stacks.setdefault(user, [])

    def owner(self, view_id: str) -> str | None:
        """Who is looking at this view."""
        shown = {**{v: u for u, v in self._homes.items()}, **{v: u for u, s in self._stacks.items() for v in s}}
        return shown.get(view_id)

    def open(self, user: str, view: Mapping[str, Any]) -> Json:
        """views.open: a new stack; modals that were open are closed."""
        made = self._make(view, root=None, previous=None)
        self.clear(user)
        return self._show(user, made, "open")

    def push(self, user: str, view: Mapping[str, Any]) -> Json:
        """views.push: on top of what is open, three at most."""
        stack = self.stack(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= STACK:
            raise SlackError("push_limit_reached")
        return self._show(user, self._make(view, root=stack[0], previous=stack[-1]), "push")

    def _show(self, user: str, view: Json, action: str) -> Json:
        self._views[view["id"]] = view
        self.stack(user).append(view["id"])
        self._hub.tell([user], {"type": "view", "action": action, "view": view})
        return view

    def find(self, view_id: object, external_id: object) -> Json:
        """A view by its id or its external_id."""
        if view_id:
            return self.get(view_id)
        found = next((v for v in self._views.values() if external_id and v["external_id"] == external_id), None)
        return self.get(found["id"] if found else None)

    def update(self, old: Json, view: Mapping[str, Any], hash_: object = None) -> Json:
        """views.update: same place, new content; values of elements that stay are kept."""
        self._check_hash(old, hash_)
        user = self.owner(old["id"]) or ""
        made = self._make(view, root=old["root_view_id"], previous=old["previous_view_id"], old=old)
        self._views[made["id"]] = made
        self._hub.tell([user], {"type": "view", "action": "update", "view": made})
        return made

    def publish(self, user: str, view: Mapping[str, Any], hash_: object = None) -> Json:
        """views.publish: the Home tab of one person."""
        old = self.home(user)
        if old is not None:
            self._check_hash(old, hash_)
        made = self._make(view, root=None, previous=None, old=old)
        self._views[made["id"]] = made
        self._homes[user] = made["id"]
        self._hub.tell([user], {"type": "home", "view": made})
        return made

    def _check_hash(self, old: Json, hash_: object) -> None:
        if hash_ and hash_ != old["hash"]:
            raise SlackError("hash_conflict")

    def close(self, user: str, view_id: str) -> None:
        """Take one modal off a person's screen."""
        if view_id in self.stack(user):
            self.stack(user).remove(view_id)
            del self._views[view_id]
            self._hub.tell([user], {"type": "view", "action": "close", "view_id": view_id})

    def clear(self, user: str) -> None:
        """Take every modal off a person's screen, top first."""
        for view_id in reversed(list(self.stack(user))):
            self.close(user, view_id)

    def hold(self, view: Json, given: Mapping[str, Any]) -> Json:
        """Remember what a person filled in so far."""
        kept = {**view["state"]["values"], **given}
        view["state"] = {"values": state_values(view["blocks"], kept)}
        return view

    def _make(
        self, view: Mapping[str, Any], *, root: str | None, previous: str | None, old: Json | None = None
    ) -> Json:
        external = view.get("external_id") or ""
        if external and any(v["external_id"] == external and v is not old for v in self._views.values()):
            raise SlackError("duplicate_external_id")
        view_id = old["id"] if old else self._ids.next("V")
        blocks = settle(view["blocks"], lambda: self._ids.next("b"))
        held = old["state"]["values"] if old else {}
        default_title = {"type": "plain_text", "text": "View Title", "emoji": True}
        seed = self._seed
        return {
            "id": view_id,
            "team_id": seed.team_id,
            "type": view["type"],
            "blocks": blocks,
            "private_metadata": view.get("private_metadata") or "",
            "callback_id": view.get("callback_id") or "",
            "state": {"values": state_values(blocks, held)},
            "hash": self._ids.next(f"{self._ids.stamp().partition('.')[0]}."),
            "title": view.get("title") or default_title,
            "clear_on_close": bool(view.get("clear_on_close")),
            "notify_on_close": bool(view.get("notify_on_close")),
            "close": view.get("close"),
            "submit": view.get("submit"),
            "previous_view_id": previous,
            "root_view_id": root or view_id,
            "app_id": seed.app_id,
            "external_id": external,
            "app_installed_team_id": seed.team_id,
            "bot_id": seed.bot_id,
        }
