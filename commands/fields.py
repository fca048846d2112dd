"""What the forms for a migration have in common: target, files, limits, and what is wrong at which field."""

from collections.abc import Iterable, Mapping

from bot import migrations
from bot.runbook import authority
from bot.runbook.people import Person
from bot.runbook.refusals import Invalid, NotAnOwner
from bot.runbook.run import Plan, Risk
from bot.target import Target
from bot.views.ids import Field, choice
from bot.views.modals import TargetChoice
from commands.limits import way_back
from commands.parse import Request


class FieldErrors(Invalid):
    """Some fields of a modal cannot be taken; ``errors`` says which and why."""

    def __init__(self, errors: dict[Field, str]) -> None:
        super().__init__("The plan is not complete.", " ".join(errors.values()))
        self.errors = errors


def chosen_target(targets: Mapping[str, Target], request: Request) -> Target:
    """The target that was chosen; raises ``FieldErrors`` where there is none."""
    chosen = request.text(Field.TARGET)
    target = next((each for each in targets.values() if chosen in (each.name, choice(each.name))), None)
    if target is None:
        raise FieldErrors({Field.TARGET: "Choose what is to be migrated."})
    return target


def choices(targets: Iterable[Target]) -> tuple[TargetChoice, ...]:
    """The targets as the forms offer them."""
    return tuple(
        TargetChoice(
            name=each.name, files=migrations.listed(each), envelope=each.envelope, deadline=each.rollback_deadline
        )
        for each in targets
    )


def may_start(person: Person, target: Target) -> None:
    """Whoever has a part in the target's policy may; the refusal otherwise."""
    authority.member(person)
    policy = target.policy
    if not person.is_one_of(policy.owners | policy.approvers | policy.on_call):
        raise NotAnOwner(
            f"You are not among those who migrate {target.name}, so nothing was started.",
            "Ask one of its owners to start it.",
            people=policy.owners or policy.approvers,
        )


def out_of_reach(target: Target, starter: str, *, more: bool = False) -> str:
    """Why a run that ``starter`` starts could never get its approvals; empty where it can.

    ``more``: its migration destroys data, which needs one approval more than usual.
    """
    needed = target.policy.quorum + more
    if not authority.out_of_reach(target.policy, frozenset({starter}), needed):
        return ""
    why = f"{target.name} needs {needed} approvals"
    if more:
        why = f"These files destroy data, so they need {needed} approvals, one more than usual"
    return (
        f"{why}, and whoever starts it cannot give their own. Somebody else has to start it, or add an approver in the"
        " targets file."
    )


def plan_of(target: Target, person: Person, request: Request) -> Plan:
    """The run that was filled in; raises ``FieldErrors``."""
    back, problems = way_back(target, request)
    if errors := {**_errors(target, request), **problems}:
        raise FieldErrors(errors)
    downtime = request.text(Field.DOWNTIME) != "no"
    files = _files(target, request)
    return Plan(
        target=target.name,
        database=target.database,
        name=request.text(Field.NAME).strip(),
        purpose=request.text(Field.PURPOSE).strip(),
        migrations=files,
        starter=person.id,
        starter_name=person.name,
        channel=target.channel,
        policy=target.policy,
        services=tuple(service.name for service in target.services),
        downtime=downtime,
        downtime_minutes=int(request.text(Field.MINUTES)) if downtime else 0,
        risk=Risk(request.text(Field.RISK) or Risk.MEDIUM.value),
        timing=target.timing,
        thresholds=target.thresholds,
        manual=target.manual,
        standby=target.standby.of(downtime=downtime),
        down=migrations.downs(target, files),
        auto_rollback=target.auto_rollback,
        envelope=back.envelope,
        rollback_deadline=back.deadline,
    )


def _files(target: Target, request: Request) -> tuple[str, ...]:
    """The files chosen, in name order: the order they are applied in."""
    chosen = set(request.chosen(Field.FILES))
    return tuple(name for name in migrations.listed(target) if choice(name) in chosen)


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
