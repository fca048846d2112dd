"""What people do: commands, messages, clicks, modals, Home; each is told to the app and waits for its ack."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.demo.workspace.core import Core, Json
from bot.demo.workspace.delivery import Delivery, Events, Outcome
from bot.demo.workspace.elements import SHAPES, find, missing, state_values
from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.frames import rich_text
from bot.demo.workspace.respond import show
from bot.demo.workspace.seed import Channel, Person
from bot.demo.workspace.web_views import checked

_NOTICES: Final = {
    "timeout": ("operation_timeout", "{what} failed with the error “operation_timeout”"),
    "nobody": ("dispatch_failed", "{what} failed with the error “dispatch_failed”"),
    "failed": ("dispatch_failed", "{what} failed with the error “dispatch_failed”"),
}
_ECHOED: Final = ("text", "value", "style", "confirm", "url", "placeholder", "initial_option")


class People:
    """The person's side of the workspace. A refusal is a `SlackError`; an ack that never came, too."""

    def __init__(self, core: Core, delivery: Delivery, events: Events) -> None:
        self._core, self._delivery, self._events = core, delivery, events

    async def act(self, user_id: str, frame: Mapping[str, Any]) -> None:
        """Do what one UI frame says, as this person."""
        kinds = {
            "command": self._command,
            "say": self._say,
            "click": self._click,
            "view_action": self._view_action,
            "submit": self._submit,
            "close": self._close,
            "open_home": self._open_home,
        }
        person, kind = self._core.seed.person(user_id), kinds.get(str(frame.get("type")))
        if person is None or kind is None:
            raise SlackError("unknown_frame")
        await kind(person, frame)

    def _channel(self, person: Person, frame: Mapping[str, Any]) -> Channel:
        channel = self._core.messages.channels.get(str(frame.get("channel")))
        if channel is None or person.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _judge(self, person: Person, outcome: Outcome, what: str) -> None:
        """Tell the person when the app did not answer, as Slack does, and refuse."""
        if outcome.status == "acked":
            return
        error, notice = _NOTICES[outcome.status]
        self._core.hub.tell([person.id], {"type": "notice", "text": notice.format(what=what)})
        raise SlackError(error)

    async def _command(self, person: Person, frame: Mapping[str, Any]) -> None:
        core, channel = self._core, self._channel(person, frame)
        command, _, text = str(frame.get("text", "")).strip().partition(" ")
        if command not in core.seed.commands or person.team_id != core.seed.team_id:
            notice = f"{command} is not a valid command. You can use {', '.join(core.seed.commands)}."
            core.hub.tell([person.id], {"type": "notice", "text": notice})
            raise SlackError("unknown_command")
        token = core.tickets.reply(user=person.id, channel=channel.id)
        sent = core.frames.slash(
            person=person,
            channel=channel,
            command=command,
            text=self._escaped(text.strip()),
            trigger_id=core.tickets.trigger(person.id),
            response_url=core.response_url(token),
        )
        outcome = await self._delivery.send("slash_commands", sent, accepts=True)
        self._judge(person, outcome, command)
        self._answer_command(person, channel, f"{command} {text}".strip(), token, outcome.payload)

    def _answer_command(
        self, person: Person, channel: Channel, line: str, token: str, body: Mapping[str, Any] | None
    ) -> None:
        if not body:
            return
        if body.get("response_type") == "in_channel":
            self._core.messages.post(channel, self._spoken(person, line, None))
        show(self._core, self._core.tickets.replies[token], body)

    def _escaped(self, text: str) -> str:
        """Mentions as `<@U1|name>`, which is what `should_escape` in the manifest asks for."""
        if not self._core.seed.escape_commands:
            return text
        people = {p.name: p for p in self._core.seed.users}
        text = re.sub(r"(?<![<\w])@([\w.-]+)", lambda m: _mention(people.get(m[1]), m[0]), text)
        return re.sub(r"<@([UW][A-Z0-9]+)>", lambda m: _mention(self._core.seed.person(m[1]), m[0]), text)

    def _spoken(self, person: Person, text: str, thread_ts: str | None) -> Json:
        message: Json = {
            "client_msg_id": self._core.ids.next("c"),
            "type": "message",
            "text": text,
            "user": person.id,
            "ts": self._core.ids.stamp(),
            "team": person.team_id,
            "blocks": [rich_text(text, self._core.ids.next("b"))],
        }
        return {**message, "thread_ts": thread_ts} if thread_ts else message

    async def _say(self, person: Person, frame: Mapping[str, Any]) -> None:
        core, channel = self._core, self._channel(person, frame)
        text = str(frame.get("text") or "")
        if not text:
            raise SlackError("no_text")
        message = core.messages.post(channel, self._spoken(person, text, frame.get("thread_ts")))
        if f"<@{core.seed.bot.id}" in text and core.seed.bot.id in channel.members:
            await self._event(core.frames.app_mention(channel=channel, message=message), channel)

    async def _event(self, event: Json, channel: Channel) -> None:
        core = self._core
        wrapped = core.frames.event(
            event, event_id=core.ids.next("Ev"), now=core.clock(), is_ext_shared=channel.is_ext_shared
        )
        await self._events.send(wrapped)

    async def _click(self, person: Person, frame: Mapping[str, Any]) -> None:
        core, channel = self._core, self._channel(person, frame)
        message = self._message(person, channel, frame.get("ts"))
        blocks = message.get("blocks") or []
        action = self._action(blocks, frame)
        hidden = bool(message.get("is_ephemeral"))
        token = core.tickets.reply(
            user=person.id,
            channel=channel.id,
            ts=message["ts"],
            thread_ts=message.get("thread_ts"),
            ephemeral=hidden,
        )
        sent = core.frames.block_actions(
            person=person,
            channel=channel,
            message=message,
            action=action,
            values=state_values(blocks, frame.get("state") or {}),
            trigger_id=core.tickets.trigger(person.id),
            response_url=core.response_url(token),
        )
        outcome = await self._delivery.send("interactive", sent, accepts=False)
        self._judge(person, outcome, "⚠️ This button")

    def _message(self, person: Person, channel: Channel, ts: object) -> Json:
        whispered = self._core.messages.whispered(ts)
        if whispered is not None and whispered[:2] == (channel.id, person.id):
            return whispered[2]
        return self._core.messages.get(channel, ts)

    def _action(self, blocks: Any, frame: Mapping[str, Any]) -> Json:
        """`actions[0]`: the element as it stands now, with what the person picked."""
        element = find(blocks, frame.get("block_id"), frame.get("action_id"))
        if element is None:
            raise SlackError("action_not_found")
        shape = SHAPES.get(element["type"])
        picked = shape.key if shape else "selected_option"
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": frame["block_id"],
            **{name: element[name] for name in _ECHOED if name in element},
            "action_ts": self._core.ids.stamp(),
        }
        return {**action, picked: frame[picked]} if picked in frame else action

    def _view(self, person: Person, frame: Mapping[str, Any]) -> Json:
        view = self._core.views.get(frame.get("view_id"))
        if self._core.views.owner(view["id"]) != person.id:
            raise SlackError("not_found")
        return view

    async def _view_action(self, person: Person, frame: Mapping[str, Any]) -> None:
        core, view = self._core, self._view(person, frame)
        action = self._action(view["blocks"], frame)
        shape = SHAPES.get(action["type"])
        own = {action["block_id"]: {action["action_id"]: {shape.key: action.get(shape.key)}}} if shape else {}
        core.views.hold(view, {**(frame.get("values") or frame.get("state") or {}), **own})
        trigger = core.tickets.trigger(person.id)
        sent = core.frames.view_action(person=person, view=view, action=action, trigger_id=trigger)
        outcome = await self._delivery.send("interactive", sent, accepts=False)
        self._judge(person, outcome, "⚠️ This button")

    async def _submit(self, person: Person, frame: Mapping[str, Any]) -> None:
        core = self._core
        view = core.views.hold(self._view(person, frame), frame.get("values") or {})
        if errors := missing(view["blocks"], view["state"]["values"]):
            self._view_errors(person, view, errors)
            raise SlackError("required_fields")
        trigger = core.tickets.trigger(person.id)
        sent = core.frames.view_submission(person=person, view=view, trigger_id=trigger)
        outcome = await self._delivery.send("interactive", sent, accepts=True)
        self._judge(person, outcome, "We had some trouble connecting. Sending this form")
        self._answer_submit(person, view, outcome.payload or {})

    def _answer_submit(self, person: Person, view: Json, body: Mapping[str, Any]) -> None:
        """view_submission's answer (docs.slack.dev/surfaces/modals, `response_action`)."""
        views, kind = self._core.views, body.get("response_action")
        if kind == "errors":
            self._view_errors(person, view, body.get("errors") or {})
        elif kind == "update":
            views.update(view, checked(body.get("view"), "modal"))
        elif kind == "push":
            views.push(person.id, checked(body.get("view"), "modal"))
        elif kind == "clear":
            views.clear(person.id)
        else:
            views.close(person.id, view["id"])

    def _view_errors(self, person: Person, view: Json, errors: Mapping[str, str]) -> None:
        frame = {"type": "view_errors", "view_id": view["id"], "errors": dict(errors)}
        self._core.hub.tell([person.id], frame)

    async def _close(self, person: Person, frame: Mapping[str, Any]) -> None:
        core, view = self._core, self._view(person, frame)
        cleared = view["clear_on_close"]
        if cleared:
            core.views.clear(person.id)
        else:
            core.views.close(person.id, view["id"])
        if view["notify_on_close"]:
            sent = core.frames.view_closed(person=person, view=view, is_cleared=cleared)
            await self._delivery.send("interactive", sent, accepts=False)

    async def _open_home(self, person: Person, frame: Mapping[str, Any]) -> None:
        core = self._core
        channel = next(c for c in core.messages.channels.values() if c.im_user == person.id)
        view = core.views.home(person.id)
        event = core.frames.app_home_opened(person=person, channel=channel, ts=core.ids.stamp(), view=view)
        await self._event(event, channel)


def _mention(person: Person | None, written: str) -> str:
    return f"<@{person.id}|{person.name}>" if person else written
