"""The payloads Slack sends to an app, built field by field as recorded in its official SDKs' samples."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.workspace.seed import Channel, Person, Seed

Json = dict[str, Any]


def rich_text(text: str, block_id: str) -> Json:
    """A person's message as the rich_text block that Slack's own clients send."""
    parts = [
        {"type": "user", "user_id": part[2:-1]} if part.startswith("<@") else {"type": "text", "text": part}
        for part in re.split(r"(<@[UW][A-Z0-9]+>)", text)
        if part
    ]
    section = {"type": "rich_text_section", "elements": parts}
    return {"type": "rich_text", "block_id": block_id, "elements": [section]}


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Payload builders for one seed; nothing here sends anything."""

    seed: Seed

    def hello(self, connections: int) -> Json:
        """The first frame on a Socket Mode connection."""
        return {
            "type": "hello",
            "num_connections": connections,
            "debug_info": {
                "host": "applink-local",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self.seed.app_id},
        }

    def slash(
        self, *, person: Person, channel: Channel, command: str, text: str, trigger_id: str, response_url: str
    ) -> Json:
        """A slash command; the same fields over HTTP and Socket Mode."""
        shown = "privategroup" if channel.is_private else channel.name
        return {
            "token": self.seed.verification_token,
            "team_id": self.seed.team_id,
            "team_domain": self.seed.team_domain,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.im_user else shown,
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": self.seed.app_id,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": trigger_id,
        }

    def _interactive(self, kind: str, person: Person) -> Json:
        return {
            "type": kind,
            "team": {"id": self.seed.team_id, "domain": self.seed.team_domain},
            "user": {
                "id": person.id,
                "username": person.name,
                "name": person.name,
                "team_id": person.team_id,
            },
            "api_app_id": self.seed.app_id,
            "token": self.seed.verification_token,
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def block_actions(
        self,
        *,
        person: Person,
        channel: Channel,
        message: Mapping[str, Any],
        action: Json,
        values: Json,
        trigger_id: str,
        response_url: str,
    ) -> Json:
        """A click in a message; an ephemeral one travels without its `message`."""
        hidden = bool(message.get("is_ephemeral"))
        container: Json = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": hidden,
        }
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        return {
            **self._interactive("block_actions", person),
            "container": container,
            "trigger_id": trigger_id,
            "channel": {"id": channel.id, "name": "directmessage" if channel.im_user else channel.name},
            **({} if hidden else {"message": dict(message)}),
            "state": {"values": values},
            "response_url": response_url,
            "actions": [action],
        }

    def view_action(self, *, person: Person, view: Mapping[str, Any], action: Json, trigger_id: str) -> Json:
        """A click in a modal or in the Home tab."""
        return {
            **self._interactive("block_actions", person),
            "container": {"type": "view", "view_id": view["id"]},
            "trigger_id": trigger_id,
            "view": dict(view),
            "actions": [action],
        }

    def view_submission(self, *, person: Person, view: Mapping[str, Any], trigger_id: str) -> Json:
        """A modal that was sent off; its values are in `view.state.values`."""
        body = self._interactive("view_submission", person)
        return {**body, "trigger_id": trigger_id, "view": dict(view), "response_urls": []}

    def view_closed(self, *, person: Person, view: Mapping[str, Any], is_cleared: bool) -> Json:
        """A modal that was dismissed; Slack tells only when the view has notify_on_close."""
        return {
            **self._interactive("view_closed", person),
            "view": dict(view),
            "is_cleared": is_cleared,
            "response_urls": [],
        }

    def app_mention(self, *, channel: Channel, message: Mapping[str, Any]) -> Json:
        """The event of a person's message that names the bot."""
        names = ("client_msg_id", "text", "user", "ts", "team", "blocks", "thread_ts")
        told = {name: message[name] for name in names if name in message}
        return {"type": "app_mention", **told, "channel": channel.id, "event_ts": message["ts"]}

    def app_home_opened(self, *, person: Person, channel: Channel, ts: str, view: Mapping[str, Any] | None) -> Json:
        """The event of a person who looks at the Home tab."""
        event = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": channel.id,
            "tab": "home",
            "event_ts": ts,
        }
        return {**event, "view": dict(view)} if view else event

    def event(self, event: Json, *, event_id: str, now: float, is_ext_shared: bool) -> Json:
        """Wrap an event in its event_callback."""
        team = self.seed.team_id
        return {
            "token": self.seed.verification_token,
            "team_id": team,
            "api_app_id": self.seed.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(now),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team,
                    "user_id": self.seed.bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": is_ext_shared,
            "event_context": f"1-{event['type']}-{team}-{event['channel']}",
        }
