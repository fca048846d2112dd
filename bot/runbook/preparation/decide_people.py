"""What people may ask of a plan.  Authority is judged here, at every click."""

from dataclasses import replace

from bot.runbook import authority
from bot.runbook import refusals as r
from bot.runbook.people import Person
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.checklist import LINES, Basis, Item, Tick, Waiver
from bot.runbook.preparation.preparation import EVIDENCE_LENGTH, Answer, Draft, Moment, Preparation, Stage, Window
from bot.runbook.preparation.standing import status, tickable
from bot.runbook.wording import moment, one_line

Events = tuple[e.Event, ...]
LONGEST_WINDOW = 86400.0  # seconds
_WAIT = "Wait a moment; the checklist shows when it has looked."


def decide(p: Preparation, intent: i.ByPerson, now: float) -> Events:
    """What a person's intent makes happen; raises a ``Refusal`` otherwise."""
    stops = isinstance(intent, i.CancelPlan) or (isinstance(intent, i.SayGo) and not intent.go)
    if p.stage is Stage.STARTING and not stops:
        raise r.NotNow("The migration is just being started.", "Wait a few seconds; the channel says how it went.")
    match intent:
        case i.Edit():
            return _edit(p, intent, now)
        case i.Postpone():
            return _postpone(p, intent, now)
        case i.CancelPlan(person=person):
            may_steer(p, person)
            reason = _words(intent.reason, "Cancelling is recorded with a reason.")
            return (e.PlanCancelled(person=person.id, name=person.name, reason=reason, at=now),)
        case i.TickItems():
            return _tick_items(p, intent, now)
        case i.Untick():
            return _untick(p, intent, now)
        case i.Waive():
            return _waive(p, intent, now)
        case i.AgreeToWaiver():
            return _agree(p, intent, now)
        case i.ReadSql():
            return _read(p, intent, now)
        case i.Review():
            return _review(p, intent, now)
        case i.SayGo():
            return _say_go(p, intent, now)
    raise r.NotNow("That is not asked of a plan.", "Type /migrate help.")  # pragma: no cover - decided elsewhere


def may_steer(p: Preparation, person: Person) -> None:
    """Owners, approvers and on-call of the target, the author, and the team."""
    authority.member(person)
    policy = p.draft.plan.policy
    named = {p.author, *(each.id for each in p.draft.team)}
    if person.id not in named and not person.is_one_of(policy.owners | policy.approvers | policy.on_call):
        raise r.NotAnOwner(
            f"You have no part in migrating {p.draft.plan.target}, so nothing was recorded.",
            "Ask one of its owners, or somebody named in the plan.",
            people=policy.owners or policy.approvers,
        )


def check_window(window: Window, now: float) -> None:
    """A window lies ahead, ends after it begins, and is not absurdly long."""
    if window.end <= window.start:
        raise r.Invalid("The window ends before it begins.", "Give an end after the start.")
    if window.end - window.start > LONGEST_WINDOW:
        raise r.Invalid("The window is longer than a day.", "Give a shorter one.")
    if window.start <= now:
        raise r.Invalid("The window has begun already, or lies in the past.", "Give one that is still to come.")


def check_draft(draft: Draft) -> None:
    """What every plan needs; a Go is worth something only if more than one person says it."""
    if len(draft.team) < 2:
        raise r.Invalid("One person has all three parts in the plan.", "Name at least one other person.")
    if not draft.plan.migrations:
        raise r.Invalid("The plan has no migration.", "Choose at least one.")


def _edit(p: Preparation, intent: i.Edit, now: float) -> Events:
    may_steer(p, intent.person)
    draft = replace(intent.draft, window=p.draft.window)
    check_draft(draft)
    if draft.plan.target != p.draft.plan.target:
        raise r.Invalid("A plan keeps its target.", "Cancel this one and plan the other target anew.")
    if intent.before is not None and intent.before != p.draft:
        raise r.Stale("Somebody else has changed the plan since you opened the form.", "Open it again.")
    kept = {each.id for each in draft.team}
    if stays := [each.name for each in p.draft.team if each.id not in kept and _says_no(p, each.id)]:
        raise r.NotNow(f"{stays[0]} has said No-go, and stays in the team.", "Ask them, postpone, or cancel the plan.")
    if draft == p.draft:
        raise r.Stale("Nothing was changed.", "The plan stays as it is.")
    return (e.Edited(draft=draft, person=intent.person.id, name=intent.person.name, at=now),)


def _postpone(p: Preparation, intent: i.Postpone, now: float) -> Events:
    may_steer(p, intent.person)
    check_window(intent.window, now)
    reason = _words(intent.reason, "Moving the window is recorded with a reason.")
    person = intent.person
    return (e.Postponed(window=intent.window, person=person.id, name=person.name, reason=reason, at=now),)


def _tick_items(p: Preparation, intent: i.TickItems, now: float) -> Events:
    may_steer(p, intent.person)
    evidence = _words(intent.evidence, "A tick needs evidence: a link, or a note of what was seen.")
    if not intent.items:
        raise r.Invalid("No item was chosen.", "Choose at least one.")
    for item in intent.items:
        _require_tickable(p, item)
    return (e.Ticked(ticks=tuple(_tick(p, intent.person, item, evidence, now) for item in intent.items)),)


def _require_tickable(p: Preparation, item: Item) -> None:
    if not tickable(p, item):
        found = status(p, item)
        if item is Item.REVIEW:
            raise r.NotNow("The review is given by Reviewed, after reading the SQL.", "Press Review on the plan.")
        raise r.NotNow(
            f"“{LINES[item].text}” is for the bot to show, and a tick does not outvote it.",
            "Mend what it found, or waive the item with a second person."
            if not found.standing.met
            else "It is shown already.",
        )
    _require_files(p, item)


def _require_files(p: Preparation, item: Item) -> None:
    if not p.basis_of(item) and LINES[item].basis is not Basis.PLAN:
        raise r.NotNow("The bot has not read the migration files yet.", _WAIT)


def _tick(p: Preparation, person: Person, item: Item, evidence: str, now: float) -> Tick:
    return Tick(item=item, person=person.id, name=person.name, evidence=evidence, at=now, basis=p.basis_of(item))


def _untick(p: Preparation, intent: i.Untick, now: float) -> Events:
    may_steer(p, intent.person)
    if p.tick(intent.item) is None and p.waiver(intent.item) is None:
        raise r.Stale("That item is neither ticked nor waived.", "Nothing needs to be done.")
    reason = _words(intent.reason, "Taking a tick back is recorded with a reason.")
    person = intent.person
    return (e.Unticked(item=intent.item, person=person.id, name=person.name, reason=reason, at=now),)


def _waive(p: Preparation, intent: i.Waive, now: float) -> Events:
    may_steer(p, intent.person)
    reason = _words(intent.reason, "A waiver is recorded with its reason.")
    if status(p, intent.item).standing.met:
        raise r.Stale("That item is shown to be true already.", "Nothing needs to be waived.")
    _require_files(p, intent.item)
    waiver = Waiver(
        item=intent.item,
        person=intent.person.id,
        name=intent.person.name,
        reason=reason,
        at=now,
        basis=p.waived_basis(intent.item),
    )
    return (e.WaiverAsked(waiver=waiver),)


def _agree(p: Preparation, intent: i.AgreeToWaiver, now: float) -> Events:
    """The second person is an approver or an owner, and not the first."""
    person, policy = intent.person, p.draft.plan.policy
    authority.member(person)
    waiver = p.waiver(intent.item)
    if waiver is None or waiver.agreed:
        raise r.Stale("There is no waiver that waits for a second person.", "Look at the checklist as it is now.")
    if intent.asked_at and int(intent.asked_at) != int(waiver.at):
        raise r.Stale("This waiver has been asked for anew, with another reason.", "Answer the newest message.")
    if person.id == waiver.person:
        raise r.SelfApproval("You asked for this waiver, so you cannot agree to it.", "Ask an approver or an owner.")
    if not person.is_one_of(policy.approvers | policy.owners):
        raise r.NotAnApprover(
            f"You are not an approver or owner of {p.draft.plan.target}, so nothing was recorded.",
            "Ask one of them to agree.",
            people=policy.approvers | policy.owners,
        )
    return (e.WaiverAgreed(item=intent.item, person=person.id, name=person.name, at=now),)


def _read(p: Preparation, intent: i.ReadSql, now: float) -> Events:
    authority.member(intent.person)
    if not p.files or intent.files != p.files:
        raise r.Stale("The files have changed since they were shown.", "Press Review again and read them anew.")
    if p.was_shown(intent.person.id):
        return ()
    return (e.SqlShown(person=intent.person.id, name=intent.person.name, files=intent.files, at=now),)


def _review(p: Preparation, intent: i.Review, now: float) -> Events:
    person = intent.person
    authority.member(person)
    if person.id in p.writers | {p.author}:
        raise r.SelfApproval(
            "You wrote this plan, or chose its files, so your own review does not count.",
            "Ask another developer to press Review.",
        )
    if intent.files != p.files or not p.was_shown(person.id):
        raise r.DigestChanged(
            "You have not been shown the SQL as it is now.", "Press Review, read it there, and then press Reviewed."
        )
    said = one_line(intent.note, EVIDENCE_LENGTH) or "read the SQL as the bot showed it"
    return (e.Ticked(ticks=(_tick(p, person, Item.REVIEW, said, now),)),)


def _say_go(p: Preparation, intent: i.SayGo, now: float) -> Events:
    person = intent.person
    authority.member(person)
    if person.id not in {each.id for each in p.draft.team}:
        names = ", ".join(each.name for each in p.draft.team)
        raise r.NotAnOwner("Go and No-go are for the people named in the plan.", f"They are: {names}.")
    if p.stage is Stage.MISSED:
        raise r.NotNow(f"The plan was not started: {p.reason}.", "Press Postpone and give it a new window.")
    if not p.files:
        raise r.NotNow("The bot has not read the migration files yet.", _WAIT)
    if intent.go and now < p.due(Moment.GO_NO_GO):
        asked = moment(p.due(Moment.GO_NO_GO), p.draft.window.zone)
        raise r.NotNow(
            f"Go is the last decision, and it is asked for at T-30m: {asked}.", "A No-go counts at any time."
        )
    reason = "" if intent.go else _words(intent.reason, "A No-go is recorded with its reason.")
    before = p.answer(person.id)
    if before and before.go == intent.go and before.reason == reason:
        raise r.AlreadyAnswered("You have said so already.", "Nothing needs to be done.")
    answer = Answer(person=person.id, name=person.name, go=intent.go, at=now, reason=reason, basis=p.basis)
    return (e.Answered(answer=answer),)


def _says_no(p: Preparation, person: str) -> bool:
    answer = p.answer(person)
    return answer is not None and not answer.go


def _words(text: str, why: str) -> str:
    said = one_line(text, EVIDENCE_LENGTH)
    if not said:
        raise r.ReasonNeeded(why, "Say it in a few words.")
    return said
