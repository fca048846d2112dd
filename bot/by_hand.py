"""``python -m bot migrate …``: the same use cases as in Slack, the same rules and ledger, when Slack is down."""

from collections.abc import Sequence
from dataclasses import replace

from bot.runbook.refusals import Invalid
from bot.views.ids import Field, Verb
from bot.views.text import plain
from bot.wiring import Bot
from commands import VERBS, parse
from commands.start import begin


async def migrate(bot: Bot, person: str, os_user: str, words: Sequence[str], fields: Sequence[str]) -> str:
    """Do what ``/migrate WORDS`` would do for ``person`` (an operator's id); the answer as plain text.

    ``os_user`` is who is really logged in: it goes into the record, because nobody vouches for ``person`` here.
    """
    body = {"text": " ".join(words), "user_id": person, "channel_id": ""}
    request = replace(parse.command(body), via=f"command line, as {os_user}", fields=_fields(fields))
    use_case = begin if request.verb is Verb.START else VERBS[request.verb]
    reply = await use_case(bot.desk, request)
    if reply.modal is not None:
        raise Invalid(
            f"{request.verb} needs a reason here.", f"Type it behind the verb: migrate {request.verb} REASON."
        )
    return plain(reply.text or str(reply.payload.get("text", "")))


def _fields(given: Sequence[str]) -> dict[Field, str | tuple[str, ...]]:
    """``NAME=VALUE`` pairs as a modal's fields; the files are separated by commas."""
    found: dict[Field, str | tuple[str, ...]] = {}
    for pair in given:
        name, _, value = pair.partition("=")
        if name not in set(Field):
            raise Invalid(f"“{name}” is not a field of a plan.", f"Use one of {', '.join(Field)}, as NAME=VALUE.")
        found[Field(name)] = tuple(value.split(",")) if name == Field.FILES else value
    return found
