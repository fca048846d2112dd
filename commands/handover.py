"""Hand a run over: offer it to a person, who accepts it."""

import re

from bot.runbook import authority
from bot.runbook import intents as i
from bot.runbook.refusals import Invalid, NotNow
from bot.runbook.run import Run
from bot.views.handover import handover_modal
from bot.views.ids import Field
from bot.views.text import escape
from commands.desk import Desk, Reply, words_after_run
from commands.parse import Request

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|([UW][A-Z0-9]{2,})")


async def handover(desk: Desk, request: Request) -> Reply:
    """``/migrate handover @SOMEONE`` shows where the run stands; sent, it is offered to them."""
    run = await desk.run(request)
    typed = words_after_run(request)
    named = _MENTION.fullmatch(typed)
    if typed and named is None:
        raise Invalid(f"“{typed}” is nobody I know.", "Type /migrate handover @NAME, or pick them in the form.")
    to = request.text(Field.RECEIVER) or (named[1] or named[2] if named else "")
    if (not request.sent and request.via == "slack") or not to:
        return Reply(modal=handover_modal(run, desk.engine.now(), to=to))
    policy = run.plan.policy
    receiver = await desk.directory.person(to, policy)
    _require_approvers(run, to, receiver.name)
    await desk.engine.handle(run.id, i.OfferHandover(person=await desk.person(request, policy), to=receiver))
    words = f"ℹ️ Offered to {escape(receiver.name)}: it stays where it is until they press Accept."
    return Reply(text=words, channel=run.plan.channel)


async def accept(desk: Desk, request: Request) -> Reply:
    """Take the run that was offered."""
    run = await desk.run(request)
    person = await desk.person(request, run.plan.policy)
    _require_approvers(run, person.id, "you")
    await desk.engine.handle(run.id, i.AcceptHandover(person=person))
    return Reply(text=f"✅ {escape(run.plan.name)} is yours now.", channel=run.plan.channel)


def _require_approvers(run: Run, to: str, name: str) -> None:
    """With groups among the approvers nobody can say; of named people enough must be left to approve."""
    policy = run.plan.policy
    needed = run.question.quorum if run.question else policy.quorum
    if authority.out_of_reach(policy, run.hands | {to}, needed):
        raise NotNow(
            f"With {name} as executor there would be too few approvers left for {needed} approvals.",
            "Name somebody who does not approve.",
        )
