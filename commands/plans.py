"""Plans: make, list, edit, postpone and cancel them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bot.planner import WindowTaken
from bot.runbook import authority
from bot.runbook.people import Person
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.decide_people import check_window
from bot.runbook.preparation.preparation import Draft, Member, Preparation, Window
from bot.runbook.refusals import Invalid, NotAMember
from bot.runbook.run import Plan
from bot.runbook.wording import zone_of
from bot.target import Target
from bot.views.ids import Field, Verb
from bot.views.preparation import forms, listing
from bot.views.text import escape
from commands.desk import Desk, Reply, words_after_id
from commands.fields import FieldErrors, choices, chosen_target, may_start, out_of_reach, plan_of
from commands.parse import Request

_LONGEST = 1440  # minutes; the core refuses more than a day
_TEAM = (Field.EXECUTOR, Field.ON_CALL, Field.SUPPORT)
_STEERING = {Verb.EDIT.value: Verb.EDIT, Verb.POSTPONE.value: Verb.POSTPONE, Verb.CANCEL.value: Verb.CANCEL}


async def plan(desk: Desk, request: Request) -> Reply:
    """``/migrate plan`` opens the form, ``plan list`` lists, ``plan edit|postpone|cancel P`` steers one."""
    if request.sent:
        return await _planned(desk, request)
    first, _, rest = request.words.partition(" ")
    if first == "list":
        return Reply(payload=listing.listed(await desk.planner.open() or await desk.planner.recent()))
    if first in _STEERING:
        named = replace(request, verb=_STEERING[first], words=rest.strip())
        return await {Verb.EDIT: edit, Verb.POSTPONE: postpone, Verb.CANCEL: cancel}[named.verb](desk, named)
    if first:
        raise Invalid(f"“{first}” is nothing one does with a plan.", "Type /migrate plan, or plan list.")
    chosen = request.text(Field.TARGET)
    modal = forms.plan_modal(choices(desk.targets.values()), desk.engine.now(), chosen=chosen, person=request.user)
    return Reply(modal=modal)


async def _planned(desk: Desk, request: Request) -> Reply:
    target = chosen_target(desk.targets, request)
    draft, person = await _draft(desk, target, request)
    may_start(person, target)
    try:
        made = await desk.planner.plan(draft, person)
    except WindowTaken as taken:
        raise FieldErrors({Field.WINDOW: str(taken)}) from taken
    words = f"ℹ️ {escape(draft.plan.name)} is planned as {made.id}; its card is in <#{target.channel}>."
    return Reply(text=words, channel=target.channel)


async def edit(desk: Desk, request: Request) -> Reply:
    """The form with the plan as it is; sent, the plan as it was filled in."""
    found = await desk.plan(request)
    target = _target_of(desk, found)
    if not request.sent:
        (choice,) = choices([target])
        return Reply(modal=forms.edit_modal(found, choice))
    draft, person = await _draft(desk, target, request, window=found.draft.window)
    kept = replace(draft, plan=replace(draft.plan, starter=found.author, starter_name=found.author_name))
    await desk.planner.handle(found.id, i.Edit(person=person, draft=kept))
    return _said("ℹ️ Changed; the bot looks at it anew.", found)


async def postpone(desk: Desk, request: Request) -> Reply:
    """A new window with a reason."""
    found = await desk.plan(request)
    if not request.sent:
        return Reply(modal=forms.postpone_modal(found, desk.engine.now()))
    person = await desk.person(request, found.draft.plan.policy)
    errors: dict[Field, str] = {}
    window = _window(request, person.zone, desk.engine.now(), errors)
    if not request.text(Field.REASON).strip():
        errors[Field.REASON] = "Say in a few words why it is moved."
    if errors or window is None:
        raise FieldErrors(errors)
    try:
        await desk.planner.handle(found.id, i.Postpone(person=person, window=window, reason=request.text(Field.REASON)))
    except WindowTaken as taken:
        raise FieldErrors({Field.WINDOW: str(taken)}) from taken
    return _said("ℹ️ Moved; this is announced.", found)


async def cancel(desk: Desk, request: Request) -> Reply:
    """The plan is given up, with a reason."""
    found = await desk.plan(request)
    reason = request.text(Field.REASON) or words_after_id(request)
    if not reason:
        return Reply(modal=forms.cancel_modal(found))
    person = await desk.person(request, found.draft.plan.policy)
    await desk.planner.handle(found.id, i.CancelPlan(person=person, reason=reason))
    return _said("ℹ️ Cancelled; this is announced.", found)


def _said(words: str, found: Preparation) -> Reply:
    return Reply(text=f"{words} ({escape(found.draft.plan.name)}, {found.id})", channel=found.draft.plan.channel)


def _target_of(desk: Desk, found: Preparation) -> Target:
    target = desk.targets.get(found.draft.plan.target)
    if target is None:
        raise Invalid(f"{found.draft.plan.target} is not set up here any more.", "Cancel the plan, or configure it.")
    return target


async def _draft(desk: Desk, target: Target, request: Request, *, window: Window | None = None) -> tuple[Draft, Person]:
    """What was filled in, and who did; raises ``FieldErrors`` naming every field that cannot be taken."""
    person = await desk.person(request, target.policy)
    authority.member(person)
    errors: dict[Field, str] = {}
    made = window or _window(request, person.zone, desk.engine.now(), errors)
    team = await _team(desk, target, request, errors)
    plan = _plan(target, person, team, request, errors)
    if errors or made is None or plan is None:
        raise FieldErrors(errors)
    draft = Draft(
        plan=plan,
        window=made,
        executor=team[Field.EXECUTOR],
        on_call=team[Field.ON_CALL],
        backup_support=team[Field.SUPPORT],
        rehearse=request.text(Field.REHEARSE) != "no",
        features=request.text(Field.FEATURES).strip(),
        stakeholders=request.text(Field.STAKEHOLDERS).strip(),
    )
    return draft, person


def _plan(
    target: Target, person: Person, team: Mapping[Field, Member], request: Request, errors: dict[Field, str]
) -> Plan | None:
    executor = team.get(Field.EXECUTOR)
    if executor and (problem := out_of_reach(target, executor.id)):
        errors[Field.EXECUTOR] = problem
    try:
        return plan_of(target, person, request)
    except FieldErrors as wrong:
        errors.update(wrong.errors)
        return None


async def _team(desk: Desk, target: Target, request: Request, errors: dict[Field, str]) -> Mapping[Field, Member]:
    """The three people, looked up: each a full member of this workspace."""
    named = {field: request.text(field) for field in _TEAM}
    for field, person in named.items():
        if not person:
            errors[field] = "Choose somebody."
    given = sorted({each for each in named.values() if each})
    found = await asyncio.gather(*(desk.directory.person(each, target.policy) for each in given))
    people = dict(zip(given, found, strict=True))
    for field, name in named.items():
        if name and not _full_member(people[name]):
            errors[field] = f"{people[name].name} is a guest, a stranger or deactivated, and cannot take part."
    return {field: Member(id=name, name=people[name].name) for field, name in named.items() if name}


def _full_member(person: Person) -> bool:
    try:
        authority.member(person)
    except NotAMember:
        return False
    return True


def _window(request: Request, zone: str, now: float, errors: dict[Field, str]) -> Window | None:
    """From the picker's moment (or an ISO 8601 one, typed), and a length in minutes."""
    start, minutes = _moment(request.text(Field.WINDOW), zone), request.text(Field.LENGTH)
    if start is None:
        errors[Field.WINDOW] = "Choose when the window begins."
    if not (minutes.isdigit() and 0 < int(minutes) <= _LONGEST):
        errors[Field.LENGTH] = f"Give the length in whole minutes, 1 to {_LONGEST}."
    if start is None or errors.keys() & {Field.WINDOW, Field.LENGTH}:
        return None
    window = Window(start=start, end=start + int(minutes) * 60, zone=zone if zone_of(zone) else "UTC")
    try:
        check_window(window, now)
    except Invalid as wrong:
        errors[Field.WINDOW] = str(wrong)
    return window


def _moment(text: str, zone: str) -> float | None:
    """The picker's moment; a typed one without its zone is meant in the person's own."""
    if text.isdigit():
        return float(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone_of(zone) or UTC)).timestamp()
