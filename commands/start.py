"""Start: the modal that plans a migration, and the run that begins when it is sent."""

from bot.ports import Target
from bot.runbook import authority
from bot.runbook.people import Person
from bot.runbook.refusals import Invalid, NotAnOwner
from bot.runbook.run import Plan, Risk
from bot.views.ids import Field, choice
from bot.views.modals import TargetChoice, start_modal
from bot.views.text import escape
from commands.desk import Desk, Reply
from commands.parse import Request


class FieldErrors(Invalid):
    """Some fields of the start modal cannot be taken; ``errors`` says which and why."""

    def __init__(self, errors: dict[Field, str]) -> None:
        super().__init__("The plan is not complete.", " ".join(errors.values()))
        self.errors = errors


async def start(desk: Desk, request: Request) -> Reply:
    """Open the modal; redraw it when another target is chosen; begin the run when it is sent."""
    if not request.view_id:
        return Reply(modal=start_modal(_choices(desk)))
    if request.channel or not request.fields.get(Field.NAME):
        return Reply(modal=start_modal(_choices(desk), chosen=request.text(Field.TARGET)))
    return await begin(desk, request)


async def begin(desk: Desk, request: Request) -> Reply:
    """The run of a filled-in modal, or of the command line's words."""
    chosen = request.text(Field.TARGET)
    target = next((each for each in desk.targets.values() if chosen in (each.name, choice(each.name))), None)
    if target is None:
        raise FieldErrors({Field.TARGET: "Choose what is to be migrated."})
    person = await desk.person(request, target.policy)
    _may_start(person, target)
    run = await desk.engine.start(_plan(target, person, request))
    said = f"ℹ️ {escape(run.plan.name)} has started as {run.id}; it asks for approval in <#{target.channel}>."
    return Reply(text=said, channel=target.channel)


def migration_files(target: Target) -> tuple[str, ...]:
    """The ``.sql`` files of a target that can be applied, in name order; DOWN scripts are not among them."""
    found = (path.name for path in target.migrations.glob("*.sql") if path.is_file())
    return tuple(sorted(name for name in found if not name.endswith(".down.sql")))


def _choices(desk: Desk) -> tuple[TargetChoice, ...]:
    return tuple(TargetChoice(name=each.name, files=migration_files(each)) for each in desk.targets.values())


def _may_start(person: Person, target: Target) -> None:
    authority.member(person)
    policy = target.policy
    if not person.is_one_of(policy.owners | policy.approvers | policy.on_call):
        raise NotAnOwner(
            f"You are not among those who migrate {target.name}, so nothing was started.",
            "Ask one of its owners to start it.",
            people=policy.owners or policy.approvers,
        )


def _quorum_in_reach(target: Target, person: Person) -> None:
    """With groups among the approvers nobody can say beforehand; with named people it is a matter of counting."""
    policy = target.policy
    able = policy.approvers if policy.self_approval else policy.approvers - {person.id}
    if not any(each.startswith("S") for each in able) and len(able) < policy.quorum:
        raise FieldErrors(
            {Field.TARGET: f"{target.name} needs {policy.quorum} approvals, and you cannot give your own. Ask somebody "
             "else to start it, or add an approver in the targets file."}
        )  # fmt: skip


def _plan(target: Target, person: Person, request: Request) -> Plan:
    _quorum_in_reach(target, person)
    errors = _errors(target, request)
    if errors:
        raise FieldErrors(errors)
    downtime = request.text(Field.DOWNTIME) != "no"
    return Plan(
        target=target.name,
        database=target.database,
        name=request.text(Field.NAME).strip(),
        purpose=request.text(Field.PURPOSE).strip(),
        migrations=_files(target, request),
        starter=person.id,
        starter_name=person.name,
        channel=target.channel,
        policy=target.policy,
        services=tuple(service.name for service in target.services),
        downtime=downtime,
        downtime_minutes=int(request.text(Field.MINUTES)) if downtime else 0,
        risk=Risk(request.text(Field.RISK) or Risk.MEDIUM.value),
        timing=target.timing,
    )


def _files(target: Target, request: Request) -> tuple[str, ...]:
    """The files chosen, in name order: the order they are applied in."""
    chosen = set(request.chosen(Field.FILES))
    return tuple(name for name in migration_files(target) if choice(name) in chosen)


def _errors(target: Target, request: Request) -> dict[Field, str]:
    errors: dict[Field, str] = {}
    for field in (Field.NAME, Field.PURPOSE):
        if not request.text(field).strip():
            errors[field] = f"Say the {field.value} in a few words."
    if not _files(target, request):
        errors[Field.FILES] = "Choose at least one migration file that is still in the target's folder."
    minutes = request.text(Field.MINUTES)
    if request.text(Field.DOWNTIME) != "no" and not (minutes.isdigit() and 0 < int(minutes) <= 1440):
        errors[Field.MINUTES] = "Give the estimated downtime as whole minutes, 1 to 1440."
    return errors
