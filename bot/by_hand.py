"""``python -m bot migrate …``: the same use cases as in Slack, the same rules and ledger, when Slack is down."""

from collections.abc import Sequence
from dataclasses import replace

from bot.runbook.refusals import Invalid
from bot.views.ids import Field
from bot.views.text import plain
from bot.wiring import Bot, doctor
from commands import VERBS, parse


async def migrate(bot: Bot, person: str, os_user: str, words: Sequence[str], fields: Sequence[str]) -> str:
    """Do what ``/migrate WORDS`` would do for ``person`` (an operator's id); the answer as plain text.

    ``os_user`` is who is really logged in: it goes into the record, because nobody vouches for ``person`` here.
    """
    body = {"text": " ".join(words), "user_id": person, "channel_id": ""}
    request = replace(parse.command(body), via=f"command line, as {os_user}", fields=_fields(fields))
    request = replace(request, sent=bool(request.fields))
    desk = replace(bot.desk, doctor=doctor)  # with Slack, which everything else here does without
    reply = await VERBS[request.verb](desk, request)
    if reply.later is not None:
        reply = await reply.later()
    if reply.modal is not None:
        raise Invalid(
            f"{request.verb} needs more than that here.",
            f"Type a reason behind the verb: migrate {request.verb} REASON; a form's fields as --field NAME=VALUE.",
        )
    return plain(reply.text or str(reply.payload.get("text", "")))


def _fields(given: Sequence[str]) -> dict[Field, str | tuple[str, ...]]:
    """``NAME=VALUE`` pairs as a modal's fields; the files are separated by commas."""
    found: dict[Field, str | tuple[str, ...]] = {}
    for pair in given:
        name, _, value = pair.partition("=")
        if name not in set(Field):
            raise Invalid(f"“{name}” is not a field of a plan.", f"Use one of {', '.join(Field)}, as NAME=VALUE.")
        found[Field(name)] = tuple(value.split(",")) if name in (Field.FILES, Field.ITEMS) else value
    return found
