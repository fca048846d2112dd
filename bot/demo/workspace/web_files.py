"""Web API: files, in the three steps of files_upload_v2."""

import mimetypes
from urllib.parse import quote

from aiohttp import web

from bot.demo.workspace.core import Args, Core, File, Json
from bot.demo.workspace.errors import SlackError


def upload_url(core: Core, args: Args) -> Json:
    """files.getUploadURLExternal."""
    file = File(id=core.ids.next("F"), name=str(args.need("filename")), alt=args.text("alt_txt") or "")
    args.need("length")
    core.files[file.id] = file
    return {"upload_url": f"{core.url}/upload/{file.id}", "file_id": file.id}


async def receive(core: Core, request: web.Request) -> web.Response:
    """`POST /upload/{id}`: the bytes, raw or as a multipart form."""
    file = core.files.get(request.match_info["id"])
    if file is None:
        return web.Response(status=404, text="unknown file")
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        part = next((p for p in form.values() if isinstance(p, web.FileField)), None)
        file.content = part.file.read() if part else b""
    else:
        file.content = await request.read()
    return web.Response(text=f"OK - {len(file.content)}")


def complete(core: Core, args: Args) -> Json:
    """files.completeUploadExternal: share what was uploaded, as one message."""
    wanted = args.decoded("files", "invalid_arguments") or []
    files = [_titled(core, item) for item in wanted]
    if not files:
        raise SlackError("invalid_arguments")
    names = args.text("channel_id") or args.text("channels") or ""
    for name in [n for n in names.split(",") if n]:
        channel = core.messages.for_bot(name)
        message = core.messages.by_bot(
            text=args.text("initial_comment") or "",
            thread_ts=args.text("thread_ts"),
            files=[_file_object(core, f) for f in files],
            upload=True,
        )
        core.messages.post(channel, message)
    return {"files": [{"id": f.id, "title": f.title} for f in files]}


def _titled(core: Core, item: Json) -> File:
    file = core.files.get(str(item.get("id")))
    if file is None or file.content is None:
        raise SlackError("file_not_found")
    file.title = str(item.get("title") or file.name)
    return file


def _file_object(core: Core, file: File) -> Json:
    link = f"{core.url}/files/{file.id}/{quote(file.name, safe='')}"
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        **({"alt_txt": file.alt} if file.alt else {}),
        "mimetype": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "size": len(file.content or b""),
        "user": core.seed.bot.id,
        "url": link,
        "url_private": link,
        "url_private_download": link,
    }


async def download(core: Core, request: web.Request) -> web.Response:
    """`GET /files/{id}/{name}`: the bytes back, to be kept under their name; never as a page of this server."""
    file = core.files.get(request.match_info["id"])
    if file is None or file.content is None:
        return web.Response(status=404, text="unknown file")
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    safe = kind if kind.startswith(("text/plain", "image/png", "image/jpeg")) else "application/octet-stream"
    kept_as = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": kept_as}
    return web.Response(body=file.content, content_type=safe, headers=headers)
