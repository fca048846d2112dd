"""A letter's file in Slack: announced, sent, shared into the thread, and found there again by its name.

docs.slack.dev/messaging/working-with-files, "Uploading files": an upload has no metadata, so its name is its key.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Attachment, Unclear
from integrations.slack.calls import ask

_ALT = 1000  # characters (docs.slack.dev/reference/methods/files.getUploadURLExternal, alt_txt)
_COMMENT = 4000  # characters; what goes beside the file is held to the same limit as any message


def holds(message: Mapping[str, Any], file: Attachment) -> bool:
    """Is this the message that brought the file?  Only bots' messages count: people may upload what they like."""
    ours = message.get("bot_id") or message.get("upload") or message.get("app_id")
    return bool(ours) and any(each.get("name") == file.name for each in message.get("files") or ())


async def upload(client: AsyncWebClient, channel: str, thread: str | None, file: Attachment, text: str) -> None:
    """Share the file with ``text`` beside it; nothing is seen of it before the last call."""
    body, seen = file.body, {"alt_txt": file.alt[:_ALT]} if file.alt else {}
    asked = client.files_getUploadURLExternal(filename=file.name, length=len(body), **seen)
    place = await ask("files.getUploadURLExternal", asked)
    await _send(client, str(place["upload_url"]), body)
    shared = client.files_completeUploadExternal(
        files=[{"id": str(place["file_id"]), "title": file.title}],
        channel_id=channel,
        thread_ts=thread,
        initial_comment=text[:_COMMENT],
    )
    await ask("files.completeUploadExternal", shared)


async def _send(client: AsyncWebClient, url: str, body: bytes) -> None:
    """The bytes, to an address of Slack's that takes no token."""
    limit = aiohttp.ClientTimeout(total=client.timeout)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(url, data=body, proxy=client.proxy, ssl=client.ssl or True) as answer,
        ):
            if answer.status != 200:
                raise Unclear(f"upload: HTTP {answer.status}")
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unclear(f"upload: {type(error).__name__}") from error
