"""Start: of a plan that is ready; where a target asks for no checklist, of what is filled in at once."""

from collections.abc import Iterable, Mapping

from bot.runbook.preparation import intents as i
from bot.runbook.preparation.gate import missing, outside_window
from bot.runbook.preparation.preparation import Preparation, Stage
from bot.runbook.refusals import NotReady
from bot.target import Target
from bot.views.ids import Field
from bot.views.modals import TargetChoice, start_modal
from bot.views.preparation.forms import begin_modal, choose_modal
from bot.views.preparation.listing import MAKE_ONE, none_yet
from bot.views.text import escape
from commands.desk import Desk, Reply, plan_id
from commands.fields import FieldErrors, choices, chosen_target, may_start, out_of_reach, plan_of
from commands.parse import Request

_HOW = "Type /migrate checklist PLAN to see who can do what."


async def start(desk: Desk, request: Request) -> Reply:
    """A plan's start where one is named or ready; else the form, for targets that ask for no checklist."""
    if named := plan_id(request) or request.text(Field.PLAN):
        return await _start_plan(desk, request, await desk.planner.load(named))
    if request.sent:
        return await begin(desk, request)
    if request.view_id:  # another target was chosen
        return Reply(modal=start_modal(_direct(desk), chosen=request.text(Field.TARGET)))
    plans = await desk.planner.open()
    ready = [each for each in plans if not _gaps(each, desk.engine.now())]
    if ready:
        return Reply(modal=begin_modal(ready[0]) if len(ready) == 1 else choose_modal(ready))
    if _direct(desk):
        return Reply(modal=start_modal(_direct(desk)))
    if plans:
        raise _not_ready(plans, desk.engine.now())
    return Reply(payload=none_yet())


async def _start_plan(desk: Desk, request: Request, found: Preparation) -> Reply:
    """Confirmed in a modal, or typed at the command line; what is missing is said before anybody confirms."""
    if not request.sent and request.via == "slack":
        if not found.final and (gaps := _gaps(found, desk.engine.now())):
            raise _lacks(found, gaps)
        if found.stage is Stage.OPEN:
            return Reply(modal=begin_modal(found))
    plan = found.draft.plan
    person = await desk.person(request, plan.policy)
    target = desk.targets.get(plan.target)
    destroys = bool(found.risk and found.risk.destroys)
    if target is not None and (problem := out_of_reach(target, person.id, more=destroys)):
        raise NotReady("The migration cannot be started by you.", "Ask another of the team to press Start.", (problem,))
    await desk.planner.handle(found.id, i.AskStart(person=person))
    words = f"ℹ️ {escape(plan.name)} is being started: the bot looks at everything once more and tells in the channel."
    return Reply(text=words, channel=plan.channel)


async def begin(desk: Desk, request: Request) -> Reply:
    """The run of a filled-in form, or of the command line's words."""
    target = chosen_target(desk.targets, request)
    person = await desk.person(request, target.policy)
    may_start(person, target)
    if target.checklist:
        await _require_plan(desk, target)
    if problem := out_of_reach(target, person.id):
        raise FieldErrors({Field.TARGET: problem})
    plan = plan_of(target, person, request)
    if problem := out_of_reach(target, person.id, more=desk.destroys(target, plan.migrations)):
        raise FieldErrors({Field.FILES: problem})
    run = await desk.engine.start(plan)
    said = f"ℹ️ {escape(run.plan.name)} has started as {run.id}; it asks for approval in <#{target.channel}>."
    return Reply(text=said, channel=target.channel)


async def _require_plan(desk: Desk, target: Target) -> None:
    """A target with a checklist is migrated by a plan, and by nothing else."""
    plans = [each for each in await desk.planner.open() if each.draft.plan.target == target.name]
    if plans:
        raise _not_ready(plans, desk.engine.now())
    raise NotReady(f"{target.name} is migrated by a plan.", MAKE_ONE, ("There is no plan",))


def _direct(desk: Desk) -> tuple[TargetChoice, ...]:
    """The targets that may be started without a plan."""
    return choices(each for each in desk.targets.values() if not each.checklist)


def _gaps(found: Preparation, now: float) -> tuple[str, ...]:
    """Everything that keeps a plan from its start, the hour included."""
    if found.stage is not Stage.OPEN:
        state = {Stage.MISSED: "T-0 went by; postpone it", Stage.STARTING: "it is being started already"}
        return (state.get(found.stage, f"it is {found.stage}"),)
    return tuple(each for each in (*missing(found), outside_window(found, now)) if each)


def _not_ready(plans: Iterable[Preparation], now: float) -> NotReady:
    """Of every plan exactly what is missing."""
    lacking: Mapping[str, tuple[str, ...]] = {f"{each.draft.plan.name} ({each.id})": _gaps(each, now) for each in plans}
    if len(lacking) == 1:
        ((name, gaps),) = lacking.items()
        return NotReady(f"{name} cannot start: not everything is ready.", _HOW, gaps)
    lines = tuple(f"{name}: {gap}" for name, gaps in lacking.items() for gap in gaps)
    return NotReady("No plan can start: not everything is ready.", _HOW, lines)


def _lacks(found: Preparation, gaps: tuple[str, ...]) -> NotReady:
    return NotReady(f"{found.draft.plan.name} ({found.id}) cannot start: not everything is ready.", _HOW, gaps)
