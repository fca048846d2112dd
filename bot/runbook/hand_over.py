"""Handing a run over: whoever has it offers it, the other takes it, and the separation of duties holds as before.

Whoever has had a run in hand does not approve it, then or later: otherwise two people could pass it back and forth and
approve what they started.
"""

from bot.runbook import authority
from bot.runbook import events as e
from bot.runbook import intents as i
from bot.runbook import refusals as r
from bot.runbook.people import Person
from bot.runbook.run import Passing, Run
from bot.runbook.steps import Route

Events = tuple[e.Event, ...]


def decide(run: Run, intent: i.HandingOver, now: float) -> Events:
    """What an offer or its acceptance makes happen; raises a ``Refusal`` otherwise."""
    return offer(run, intent, now) if isinstance(intent, i.OfferHandover) else accept(run, intent, now)


def offer(run: Run, intent: i.OfferHandover, now: float) -> Events:
    """Offer the run to somebody who could have started it."""
    authority.steerer(run, intent.person)
    if run.route is Route.CLOSE:
        raise r.NotNow("The run is being closed.", "Nothing is left to hand over.")
    to = intent.to
    if to.id == run.executor:
        raise r.NotNow(f"The run is in {to.name}'s hands already.", "Name somebody else.")
    if run.offered is not None and run.offered.to == to.id:
        raise r.AlreadyAnswered(f"It has been offered to {to.name} already.", "They press Accept in the channel.")
    _may_take(run, to)
    person = intent.person
    return (e.HandoverOffered(offer=Passing(to=to.id, to_name=to.name, by=person.id, by_name=person.name, at=now)),)


def accept(run: Run, intent: i.AcceptHandover, now: float) -> Events:
    """Take it: from now on they are who started it, for everything that is asked."""
    person, offered = intent.person, run.offered
    authority.member(person)
    if offered is None:
        raise r.Stale("No hand-over is open.", "Type /migrate status to see whose the run is.")
    if offered.to != person.id:
        raise r.NotTheKeeper(
            f"This hand-over was offered to {offered.to_name}, so nothing was recorded.",
            "Ask them to press Accept, or offer it to somebody else.",
            people=frozenset({offered.to}),
        )
    _may_take(run, person)
    given = run.grant.approvals if run.grant and not run.plan.policy.self_approval else ()
    if any(each.person == person.id for each in given):
        raise r.StepRunning(
            "You approved what is being done now, so you cannot take the run in the middle of it.",
            "Press Accept again when this step has ended.",
        )
    return (e.Handed(to=person.id, to_name=person.name, by=offered.by, by_name=offered.by_name, at=now),)


def _may_take(run: Run, person: Person) -> None:
    """Could they have started it?"""
    authority.member(person)
    policy = run.plan.policy
    if not person.is_one_of(policy.owners | policy.approvers | policy.on_call):
        raise r.NotAnOwner(
            f"{person.name} is not among those who migrate {run.plan.target}, so it is not handed to them.",
            "Name an owner, an approver or somebody on call.",
            people=policy.owners or policy.approvers,
        )
