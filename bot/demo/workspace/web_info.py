"""Web API: auth, conversations, users, user groups, pins and reactions."""

from collections.abc import Mapping
from typing import Any

from bot.demo.workspace.core import Args, Core, Json
from bot.demo.workspace.errors import SlackError
from bot.demo.workspace.seed import Channel, Person, Seed

_BORN = 1700000000


def auth_test(core: Core, args: Args) -> Json:
    """auth.test."""
    seed = core.seed
    return {
        "url": f"{core.url}/",
        "team": seed.team_name,
        "user": seed.bot.name,
        "team_id": seed.team_id,
        "user_id": seed.bot.id,
        "bot_id": seed.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(core: Core, args: Args) -> Json:
    """apps.connections.open: a single-use link for Socket Mode."""
    link = core.url.replace("http://", "ws://")
    return {"url": f"{link}/link/?ticket={core.tickets.link()}&app_id={core.seed.app_id}"}


def conversation(core: Core, args: Args) -> Json:
    """conversations.info."""
    channel = core.messages.channel(args.need("channel"))
    told = _channel(core.seed, channel)
    return {"channel": {**told, "num_members": len(channel.members)} if args.flag("include_num_members") else told}


def _channel(seed: Seed, channel: Channel) -> Json:
    common = {"id": channel.id, "created": _BORN, "is_archived": False, "is_org_shared": False}
    if channel.im_user:
        return {**common, "is_im": True, "user": channel.im_user, "context_team_id": seed.team_id}
    teams = {p.team_id for u in channel.members if (p := seed.person(u))} if channel.is_ext_shared else set()
    nothing = {"value": "", "creator": "", "last_set": 0}
    return {
        **common,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_general": False,
        "unlinked": 0,
        "creator": channel.members[0] if channel.members else "",
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "shared_team_ids": sorted(teams | {seed.team_id}),
        "context_team_id": seed.team_id,
        "is_member": seed.bot.id in channel.members,
        "topic": nothing,
        "purpose": nothing,
        "previous_names": [],
        "updated": _BORN * 1000,
    }


def members(core: Core, args: Args) -> Json:
    """conversations.members."""
    found = list(core.messages.channel(args.need("channel")).members)
    page, cursor = _page(found, args)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def _page(found: list[Any], args: Args) -> tuple[list[Any], str]:
    """One page of a list and the cursor of the next (empty at the end)."""
    cursor, limit = args.text("cursor") or "0", args.whole("limit", 100) or 100
    if not cursor.isdigit():
        raise SlackError("invalid_cursor")
    start = int(cursor)
    end = start + limit
    return found[start:end], str(end) if end < len(found) else ""


def open_conversation(core: Core, args: Args) -> Json:
    """conversations.open: the direct message with one person."""
    if args.get("channel"):
        channel = core.messages.channel(args.get("channel"))
    else:
        users = [u for u in str(args.get("users") or "").split(",") if u]
        if len(users) != 1:
            raise SlackError("not_enough_users" if not users else "too_many_users")
        channel = _direct(core, users[0])
    told: Json = {"id": channel.id}
    if args.flag("return_im"):
        told = {**_channel(core.seed, channel), "is_open": True}
    return {"no_op": True, "already_open": True, "channel": told}


def _direct(core: Core, user: str) -> Channel:
    found = next((c for c in core.messages.channels.values() if c.im_user == user), None)
    if found is None:
        raise SlackError("user_not_found")
    return found


def history(core: Core, args: Args) -> Json:
    """conversations.history: newest first, without replies; metadata only on request."""
    channel = core.messages.for_bot(args.need("channel"))
    roots = [m for m in core.messages.all(channel) if m.get("thread_ts") in (None, m["ts"])]
    page, cursor = _page(list(reversed(_between(roots, args))), args)
    told = [_told(core, channel, m, args) for m in page]
    more = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": told, "has_more": bool(cursor), "pin_count": len(core.messages.pins[channel.id]), **more}


def replies(core: Core, args: Args) -> Json:
    """conversations.replies: a thread, oldest first, with its root."""
    channel = core.messages.for_bot(args.need("channel"))
    ts = str(args.need("ts"))
    thread = [m for m in core.messages.all(channel) if ts in (m["ts"], m.get("thread_ts"))]
    if not thread:
        raise SlackError("thread_not_found")
    page, cursor = _page(_between(thread, args), args)
    more = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": [_told(core, channel, m, args) for m in page], "has_more": bool(cursor), **more}


def _between(found: list[Json], args: Args) -> list[Json]:
    oldest, latest = args.text("oldest"), args.text("latest")
    inclusive = args.flag("inclusive")
    try:
        low = float(oldest) if oldest else float("-inf")
        high = float(latest) if latest else float("inf")
    except ValueError:
        raise SlackError("invalid_ts_oldest" if oldest else "invalid_ts_latest") from None
    return [m for m in found if low < float(m["ts"]) < high or (inclusive and float(m["ts"]) in (low, high))]


def _told(core: Core, channel: Channel, message: Mapping[str, Any], args: Args) -> Json:
    hidden = () if args.flag("include_all_metadata") else ("metadata",)
    told = {name: value for name, value in message.items() if name not in hidden}
    return {**told, "pinned_to": [channel.id]} if message["ts"] in core.messages.pins[channel.id] else told


def user_info(core: Core, args: Args) -> Json:
    """users.info."""
    person = core.seed.person(str(args.need("user")))
    if person is None:
        raise SlackError("user_not_found")
    scopes = core.seed.scopes
    return {"user": user_object(person, with_address=scopes is None or "users:read.email" in scopes)}


def user_object(person: Person, *, with_address: bool = False) -> Json:
    """A person as Slack shows them to apps; the e-mail address only with the scope ``users:read.email``."""
    names = {"real_name": person.real_name, "real_name_normalized": person.real_name}
    profile = {**names, "display_name": "", "display_name_normalized": "", "title": person.title}
    if with_address and not person.is_bot:
        profile["email"] = person.email
    return {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": 0,
        "profile": {**profile, "team": person.team_id},
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_stranger": person.is_stranger,
        "updated": _BORN,
    }


def usergroups(core: Core, args: Args) -> Json:
    """usergroups.list."""
    names = args.flag("include_users")
    told = [
        {
            "id": g.id,
            "team_id": core.seed.team_id,
            "is_usergroup": True,
            "name": g.handle,
            "handle": g.handle,
            "user_count": len(g.users),
            **({"users": list(g.users)} if names else {}),
        }
        for g in core.seed.usergroups
    ]
    return {"usergroups": told}


def usergroup_users(core: Core, args: Args) -> Json:
    """usergroups.users.list."""
    wanted = args.need("usergroup")
    group = next((g for g in core.seed.usergroups if g.id == wanted), None)
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def pin(core: Core, args: Args) -> Json:
    """pins.add."""
    core.messages.pin(core.messages.for_bot(args.need("channel")), args.need("timestamp"))
    return {}


def unpin(core: Core, args: Args) -> Json:
    """pins.remove."""
    core.messages.unpin(core.messages.for_bot(args.need("channel")), args.need("timestamp"))
    return {}


def pins(core: Core, args: Args) -> Json:
    """pins.list."""
    channel = core.messages.for_bot(args.need("channel"))
    found = [core.messages.get(channel, ts) for ts in core.messages.pins[channel.id]]
    return {"items": [{"type": "message", "channel": channel.id, "message": dict(m)} for m in found]}


def react(core: Core, args: Args) -> Json:
    """reactions.add."""
    channel = core.messages.for_bot(args.need("channel"))
    core.messages.react(channel, args.need("timestamp"), str(args.need("name")).strip(":"))
    return {}
