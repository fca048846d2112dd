"""Conversations: messages, threads, ephemerals, pins, reactions; every change is told to who may see it."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.workspace.elements import settle
from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.hub import Hub
from bot.demo.workspace.seed import Channel, Seed
from bot.demo.workspace.tickets import Ids

Json = dict[str, Any]


class Messages:
    """What was said, by channel and ts. Messages are plain Slack message objects."""

    def __init__(self, seed: Seed, ids: Ids, hub: Hub) -> None:
        self._seed, self._ids, self._hub = seed, ids, hub
        self.channels = seed.conversations
        self._by_ts: dict[str, dict[str, Json]] = {c: {} for c in self.channels}
        self.pins: dict[str, list[str]] = {c: [] for c in self.channels}
        self._ephemeral: dict[str, tuple[str, str, Json]] = {}

    def channel(self, name: object) -> Channel:
        """A conversation by id, by `#name`, or the direct message of a user id."""
        text = str(name or "")
        found = self.channels.get(text) or next(
            (c for c in self.channels.values() if c.im_user == text or f"#{c.name}" == f"#{text.lstrip('#')}"),
            None,
        )
        if found is None or (found.is_private and self._seed.bot.id not in found.members):
            raise SlackError("channel_not_found")
        return found

    def for_bot(self, name: object) -> Channel:
        """A conversation the bot may write to."""
        channel = self.channel(name)
        if self._seed.bot.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def all(self, channel: Channel) -> list[Json]:
        """Every message of a channel, oldest first, threads too."""
        return list(self._by_ts[channel.id].values())

    def get(self, channel: Channel, ts: object) -> Json:
        """One message; `message_not_found` when it is not there (any more)."""
        found = self._by_ts[channel.id].get(str(ts))
        if found is None:
            raise SlackError("message_not_found")
        return found

    def by_bot(self, *, text: str, blocks: Sequence[Mapping[str, Any]] = (), **more: Any) -> Json:
        """A message of the bot, not posted yet; empty fields of `more` are left out."""
        seed = self._seed
        message = {
            "user": seed.bot.id,
            "type": "message",
            "ts": self._ids.stamp(),
            "bot_id": seed.bot_id,
            "app_id": seed.app_id,
            "text": text,
            "team": seed.team_id,
            "bot_profile": self._bot_profile(),
            "blocks": settle(blocks, self._block_id),
            **more,
        }
        return {name: value for name, value in message.items() if value or name == "text"}

    def _block_id(self) -> str:
        return self._ids.next("b")

    def _bot_profile(self) -> Json:
        return {
            "id": self._seed.bot_id,
            "app_id": self._seed.app_id,
            "name": self._seed.bot.name,
            "icons": {},
            "deleted": False,
            "updated": 1700000000,
            "team_id": self._seed.team_id,
        }

    def post(self, channel: Channel, message: Json) -> Json:
        """Put a message into a channel, in a thread when it says so."""
        root_ts = message.get("thread_ts")
        if root_ts and root_ts not in self._by_ts[channel.id]:
            raise SlackError("cannot_reply_to_message")
        self._by_ts[channel.id][message["ts"]] = message
        if root_ts:
            self._count_reply(channel, self._by_ts[channel.id][root_ts], message)
        self._hub.tell_channel(channel, {"type": "message", "message": self.shown(channel, message)})
        return message

    def _count_reply(self, channel: Channel, root: Json, message: Json) -> None:
        message["parent_user_id"] = root["user"]
        users = list(dict.fromkeys([*root.get("reply_users", []), message["user"]]))
        root.update(
            thread_ts=root["ts"],
            reply_count=root.get("reply_count", 0) + 1,
            reply_users=users,
            reply_users_count=len(users),
            latest_reply=message["ts"],
        )
        self._changed(channel, root)

    def shown(self, channel: Channel, message: Json) -> Json:
        """The message as people see it, with `pinned`."""
        return {**message, "pinned": message["ts"] in self.pins[channel.id]}

    def _changed(self, channel: Channel, message: Json) -> None:
        self._hub.tell_channel(channel, {"type": "message_changed", "message": self.shown(channel, message)})

    def edit(self, channel: Channel, ts: object, *, text: str | None, blocks: Any, metadata: Any) -> Json:
        """chat.update: text alone drops the blocks and marks the edit; metadata stays unless given."""
        message = self.get(channel, ts)
        if message["user"] != self._seed.bot.id or message.get("subtype"):
            raise SlackError("cant_update_message")
        if text is not None:
            message["text"] = text
        if blocks:
            message["blocks"] = settle(blocks, self._block_id)
        elif text is not None:
            message.pop("blocks", None)
            message["edited"] = {"user": self._seed.bot_id, "ts": self._ids.stamp()}
        if metadata is not None:
            message["metadata"] = metadata
        self._changed(channel, message)
        return message

    def delete(self, channel: Channel, ts: object) -> None:
        """chat.delete: a root with replies leaves a tombstone."""
        message = self.get(channel, ts)
        if message["user"] != self._seed.bot.id:
            raise SlackError("cant_delete_message")
        if message["ts"] in self.pins[channel.id]:
            self.unpin(channel, ts)
        if not message.get("reply_count"):
            del self._by_ts[channel.id][message["ts"]]
            self._hub.tell_channel(channel, {"type": "message_deleted", "ts": message["ts"]})
            return
        kept = {k: v for k, v in message.items() if k in ("type", "ts", "thread_ts") or "reply" in k}
        tombstone = {"subtype": "tombstone", "user": "USLACKBOT", "hidden": True}
        self._by_ts[channel.id][message["ts"]] = {
            **kept,
            **tombstone,
            "text": "This message was deleted.",
        }
        self._changed(channel, self._by_ts[channel.id][message["ts"]])

    def whisper(self, channel: Channel, user: str, message: Json) -> Json:
        """Show a message to one person only."""
        shown = {**message, "is_ephemeral": True}
        self._ephemeral[message["ts"]] = (channel.id, user, shown)
        self._hub.tell([user], {"type": "ephemeral", "channel": channel.id, "message": shown})
        return shown

    def whispered(self, ts: object) -> tuple[str, str, Json] | None:
        """An ephemeral message: its channel, its reader, and itself."""
        return self._ephemeral.get(str(ts))

    def whispers_to(self, user: str) -> dict[str, list[Json]]:
        """The ephemeral messages of one person, by channel."""
        found: dict[str, list[Json]] = {}
        for channel_id, reader, message in self._ephemeral.values():
            if reader == user:
                found.setdefault(channel_id, []).append(message)
        return found

    def replace_whisper(self, ts: str, text: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Replace an ephemeral message (response_url, replace_original)."""
        channel_id, user, message = self._ephemeral[ts]
        message.update(text=text, blocks=settle(blocks, self._block_id))
        self._hub.tell([user], {"type": "ephemeral_changed", "channel": channel_id, "message": message})

    def drop_whisper(self, ts: str) -> None:
        """Take an ephemeral message away (response_url, delete_original)."""
        channel_id, user, _ = self._ephemeral.pop(ts)
        self._hub.tell([user], {"type": "ephemeral_deleted", "channel": channel_id, "ts": ts})

    def pin(self, channel: Channel, ts: object) -> None:
        """pins.add."""
        message = self.get(channel, ts)
        if message["ts"] in self.pins[channel.id]:
            raise SlackError("already_pinned")
        self.pins[channel.id].append(message["ts"])
        self._tell_pins(channel)

    def unpin(self, channel: Channel, ts: object) -> None:
        """pins.remove."""
        if str(ts) not in self.pins[channel.id]:
            raise SlackError("no_pin")
        self.pins[channel.id].remove(str(ts))
        self._tell_pins(channel)

    def _tell_pins(self, channel: Channel) -> None:
        self._hub.tell_channel(channel, {"type": "pins", "pins": list(self.pins[channel.id])})

    def react(self, channel: Channel, ts: object, name: str) -> None:
        """reactions.add, by the bot."""
        message = self.get(channel, ts)
        reactions: list[Json] = message.setdefault("reactions", [])
        found = next((r for r in reactions if r["name"] == name), None)
        if found is None:
            found = {"name": name, "users": [], "count": 0}
            reactions.append(found)
        if self._seed.bot.id in found["users"]:
            raise SlackError("already_reacted")
        found["users"].append(self._seed.bot.id)
        found["count"] = len(found["users"])
        frame = {"type": "reactions", "ts": message["ts"], "reactions": reactions}
        self._hub.tell_channel(channel, frame)
