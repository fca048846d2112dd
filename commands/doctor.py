"""``/migrate doctor``: what is configured and not well, for those who have a role in a target; it changes nothing."""

from collections.abc import Awaitable, Callable, Collection

from bot.doctor.findings import Report
from bot.doctor.shown import payload
from bot.runbook.authority import member
from bot.runbook.people import Policy
from bot.runbook.refusals import NotAnOwner, NotNow
from bot.views.blocks import Glyph
from commands.desk import Desk, Reply
from commands.parse import Request


async def doctor(desk: Desk, request: Request) -> Reply:
    """Begin to look; the report follows, because it takes longer than Slack waits for an answer."""
    if desk.doctor is None:
        raise NotNow("There is no doctor here.", "Type python -m bot doctor on the bot's host.")
    mine = await _own_targets(desk, request)
    looking = f"{Glyph.INFO} Looking at every system; the report follows here within half a minute."
    return Reply(text=looking, later=_examined(desk.doctor, mine))


async def _own_targets(desk: Desk, request: Request) -> frozenset[str]:
    """The report names systems: it is for owners, approvers and on-call, and for each of their own targets."""
    roles = {
        name: target.policy.approvers | target.policy.owners | target.policy.on_call
        for name, target in desk.targets.items()
    }
    person = await desk.person(request, Policy(approvers=frozenset().union(*roles.values())))
    member(person)
    mine = frozenset(name for name, who in roles.items() if person.is_one_of(who))
    if not mine:
        raise NotAnOwner(
            "The doctor's report is for owners, approvers and on-call of a target, so nothing was looked at.",
            "Ask one of them to type /migrate doctor.",
            people=frozenset().union(*roles.values()),
        )
    return mine


def _examined(examine: Callable[[], Awaitable[Report]], targets: Collection[str]) -> Callable[[], Awaitable[Reply]]:
    async def later() -> Reply:
        report = await examine()
        own = tuple(each for each in report.sections if not each.target or each.target in targets)
        return Reply(payload=payload(Report(sections=own)))

    return later
