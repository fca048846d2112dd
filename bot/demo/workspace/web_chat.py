"""Web API: chat.*"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.demo.workspace.core import Args, Core, Json, Scheduled
from bot.demo.workspace.errors import SlackError, refused
from bot.demo.workspace.seed import Channel
from bot.views.limits import LimitProblem, message_problems

FARTHEST: Final = 120 * 24 * 3600
"""Seconds ahead that chat.scheduleMessage takes."""


def payload(args: Args) -> Json:
    """The message part of a call, held to Slack's limits; raises the refusal Slack would give."""
    given: Json = {
        "text": args.text("text"),
        "blocks": args.decoded("blocks", "invalid_blocks_format"),
        "attachments": args.decoded("attachments", "invalid_attachments"),
        "metadata": args.decoded("metadata", "invalid_metadata_format"),
    }
    blocks = given["blocks"]
    if blocks is not None and not (isinstance(blocks, list) and all(isinstance(b, Mapping) for b in blocks)):
        raise SlackError("invalid_blocks_format")
    if not any(given[name] for name in ("text", "blocks", "attachments")):
        raise SlackError("no_text")
    if found := message_problems(given):
        raise refused(error_of(found), found)
    return given


def error_of(found: Sequence[LimitProblem]) -> str:
    """Which of Slack's error words a broken limit has."""
    first = found[0]
    if first.message.startswith("all text together"):
        return "msg_blocks_too_long"
    words = {
        "text": "msg_too_long",
        "metadata": "invalid_metadata_format",
        "attachments": "invalid_attachments",
    }
    if first.pointer == "/attachments":
        return "too_many_attachments"
    return words.get(first.pointer.split("/")[1], "invalid_blocks")


def _extras(given: Json, args: Args) -> Json:
    return {"metadata": given["metadata"], "thread_ts": args.text("thread_ts"), "attachments": given["attachments"]}


def post_message(core: Core, args: Args) -> Json:
    """chat.postMessage; a user id posts to their direct message."""
    channel = core.messages.for_bot(args.need("channel"))
    given = payload(args)
    message = core.messages.by_bot(text=given["text"] or "", blocks=given["blocks"] or (), **_extras(given, args))
    core.messages.post(channel, message)
    return {"channel": channel.id, "ts": message["ts"], "message": dict(message)}


def update(core: Core, args: Args) -> Json:
    """chat.update; the echo has no ts."""
    channel = core.messages.for_bot(args.need("channel"))
    ts, given = args.need("ts"), payload(args)
    message = core.messages.edit(channel, ts, text=given["text"], blocks=given["blocks"], metadata=given["metadata"])
    told = {k: v for k, v in message.items() if k in _UPDATE_ECHO}
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": told}


_UPDATE_ECHO: Final = frozenset(
    {"bot_id", "type", "text", "user", "team", "bot_profile", "edited", "app_id", "metadata", "blocks", "files"}
)


def delete(core: Core, args: Args) -> Json:
    """chat.delete."""
    channel = core.messages.for_bot(args.need("channel"))
    core.messages.delete(channel, args.need("ts"))
    return {"channel": channel.id, "ts": args.get("ts")}


def post_ephemeral(core: Core, args: Args) -> Json:
    """chat.postEphemeral: to one member of the channel."""
    channel, user = core.messages.for_bot(args.need("channel")), str(args.need("user"))
    given = payload(args)
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = core.messages.by_bot(
        text=given["text"] or "", blocks=given["blocks"] or (), thread_ts=args.text("thread_ts")
    )
    core.messages.whisper(channel, user, message)
    return {"message_ts": message["ts"]}


def permalink(core: Core, args: Args) -> Json:
    """chat.getPermalink: a link that opens on this server."""
    channel = core.messages.channel(args.need("channel"))
    message = core.messages.get(channel, args.need("message_ts"))
    link = f"{core.url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    root = message.get("thread_ts")
    thread = f"?thread_ts={root}&cid={channel.id}" if root and root != message["ts"] else ""
    return {"permalink": link + thread, "channel": channel.id}


def schedule(core: Core, args: Args) -> Json:
    """chat.scheduleMessage; one with metadata is taken and never posted, as Slack does."""
    channel = core.messages.for_bot(args.need("channel"))
    args.need("post_at")
    post_at, now = args.whole("post_at", 0), core.clock()
    given = payload(args)
    if post_at <= now:
        raise SlackError("time_in_past")
    if post_at > now + FARTHEST:
        raise SlackError("time_too_far")
    scheduled_id = core.ids.next("Q")
    core.scheduled[scheduled_id] = Scheduled(
        id=scheduled_id,
        channel=channel.id,
        post_at=post_at,
        created=int(now),
        payload={**given, "thread_ts": args.text("thread_ts")},
    )
    core.on_schedule()
    return _scheduled_answer(core, core.scheduled[scheduled_id])


def _scheduled_answer(core: Core, item: Scheduled) -> Json:
    preview = core.messages.by_bot(text=item.payload["text"] or "", blocks=item.payload["blocks"] or ())
    del preview["ts"]
    return {
        "scheduled_message_id": item.id,
        "channel": item.channel,
        "post_at": item.post_at,
        "message": preview,
    }


def post_due(core: Core) -> float | None:
    """Post every scheduled message whose time has come; epoch seconds of the next, or None."""
    now = core.clock()
    for item in [s for s in core.scheduled.values() if s.post_at <= now]:
        del core.scheduled[item.id]
        if not item.payload["metadata"]:
            _post_one(core, core.messages.channels[item.channel], item.payload)
    return min((s.post_at for s in core.scheduled.values()), default=None)


def _post_one(core: Core, channel: Channel, given: Json) -> None:
    thread = given["thread_ts"]
    if thread and all(m["ts"] != thread for m in core.messages.all(channel)):
        return  # its thread is gone; there is nowhere to say so
    message: Any = core.messages.by_bot(text=given["text"] or "", blocks=given["blocks"] or (), thread_ts=thread)
    core.messages.post(channel, message)


def delete_scheduled(core: Core, args: Args) -> Json:
    """chat.deleteScheduledMessage."""
    core.messages.channel(args.need("channel"))
    if core.scheduled.pop(str(args.need("scheduled_message_id")), None) is None:
        raise SlackError("invalid_scheduled_message_id")
    core.on_schedule()
    return {}


def list_scheduled(core: Core, args: Args) -> Json:
    """chat.scheduledMessages.list."""
    wanted = args.text("channel")
    found = [
        {
            "id": s.id,
            "channel_id": s.channel,
            "post_at": s.post_at,
            "date_created": s.created,
            "text": s.payload["text"] or "",
        }
        for s in sorted(core.scheduled.values(), key=lambda s: s.post_at)
        if wanted in (None, "", s.channel)
    ]
    return {"scheduled_messages": found, "response_metadata": {"next_cursor": ""}}
