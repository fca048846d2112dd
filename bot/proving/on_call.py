"""ON_CALL: the named engineer is a real, active member, on the target's list, and the one who is paged then."""

from collections.abc import Awaitable, Callable

from bot.ports import OnCall, StepError
from bot.proving.subject import Looked, Looks, Subject, fine, untold, wrong
from bot.runbook.people import Person, Policy
from bot.runbook.preparation.checklist import Item
from bot.runbook.refusals import Refusal
from bot.runbook.wording import one_line

ITEMS = (Item.ON_CALL,)
WhoIs = Callable[[str, Policy], Awaitable[Person]]


class OnCallProof:
    """``person`` looks somebody up anew; ``pager`` is asked where one is configured."""

    def __init__(self, person: WhoIs, pager: OnCall | None = None) -> None:
        self._person = person
        self._pager = pager

    async def look(self, subject: Subject) -> Looks:
        """The one item."""
        try:
            return {Item.ON_CALL: await self._on_call(subject)}
        except Refusal as error:
            return {Item.ON_CALL: wrong(f"{one_line(subject.draft.on_call.name)} could not be looked up: {error}")}

    async def _on_call(self, subject: Subject) -> Looked:
        named, policy = subject.draft.on_call, subject.target.policy
        person = await self._person(named.id, policy)
        name = one_line(named.name)
        if problem := _problem(person):
            return wrong(f"{name} {problem}. Edit the plan and name somebody else.")
        if policy.on_call and not person.is_one_of(policy.on_call):
            return wrong(
                f"{name} is not on the on-call list of {subject.target.name}."
                " Edit the plan and name somebody who is, or add them to the list."
            )
        if not policy.on_call:
            return untold(f"{name} is an active member; {subject.target.name} has no on-call list, tick with evidence")
        listed = f"{name} is an active member and on the on-call list of {subject.target.name}"
        return await self._paged(subject, name, listed)

    async def _paged(self, subject: Subject, name: str, listed: str) -> Looked:
        """In the pager's own schedule, where there is one."""
        if self._pager is None:
            return fine(listed)
        window = subject.draft.window
        try:
            covers, words = await self._pager.covers(subject.target, subject.draft.on_call.id, window.start, window.end)
        except StepError as error:
            return wrong(f"{error.problem} {error.advice}".strip(), listed)
        if covers is None and not words:
            return fine(listed)
        if covers is False:
            return wrong(f"{name} is not the one who is paged then: {one_line(words)}. Edit the plan, or swap shifts.")
        return Looked(ok=covers, findings=tuple(each for each in (one_line(words), listed) if each))


def _problem(person: Person) -> str:
    if person.stranger:
        return "is not a member of this workspace"
    if person.inactive:
        return "has no active account"
    return "is a guest" if person.guest else ""
