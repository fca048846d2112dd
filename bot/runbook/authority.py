"""Who may say yes, no, stop and go.  Every function raises the refusal, or returns nothing."""

from bot.runbook import refusals as r
from bot.runbook.people import Approval, Person, Policy
from bot.runbook.run import Run


def member(person: Person) -> None:
    """Anyone who really belongs here: no guest, no stranger, no bot."""
    if person.guest or person.stranger or person.inactive:
        raise r.NotAMember(
            "Guests, people of other organisations and deactivated accounts cannot steer a migration.",
            "Ask a full member of this workspace to do it.",
        )


def approver(run: Run, person: Person, given: tuple[Approval, ...]) -> None:
    """May this person's yes count, given the approvals there are?"""
    policy = run.plan.policy
    member(person)
    if not person.is_one_of(policy.approvers):
        raise r.NotAnApprover(
            f"You are not an approver of {run.plan.target}, so nothing was recorded.",
            "Ask one of its approvers to press the button.",
            people=policy.approvers,
        )
    if person.id in run.hands and not policy.self_approval:
        raise r.SelfApproval(
            "You planned, started or took over this migration, so your own approval does not count.",
            "Ask another approver to press the button.",
            people=policy.approvers - run.hands,
        )
    if any(each.person == person.id for each in given):
        raise r.AlreadyApproved(
            "You have already approved this.",
            "It waits for another approver.",
            people=policy.approvers - {person.id},
        )


def out_of_reach(policy: Policy, hands: frozenset[str], approvals: int) -> bool:
    """Are there fewer people who may say yes than approvals are needed, for certain?

    With groups (ids of Slack user groups begin with S) among the approvers nobody can say beforehand; with named people
    it is a matter of counting.
    """
    able = policy.approvers if policy.self_approval else policy.approvers - hands
    return not any(each.startswith("S") for each in able) and len(able) < approvals


def decliner(run: Run, person: Person) -> None:
    """A no may come from any approver or owner, and from whoever started the run."""
    member(person)
    policy = run.plan.policy
    if person.id != run.executor and not person.is_one_of(policy.approvers | policy.owners):
        raise r.NotAnApprover(
            f"You are not an approver of {run.plan.target}, so nothing was recorded.",
            "Type /migrate hold to stop it before its next step; anyone in the channel may.",
            people=policy.approvers,
        )


def steerer(run: Run, person: Person) -> None:
    """Steering (resume, retry, abort, rollback, hand-over) is for owners, approvers, on-call and the starter."""
    member(person)
    policy = run.plan.policy
    if not _steers(run, person):
        raise r.NotAnOwner(
            f"You are not an owner of {run.plan.target}, so nothing was done.",
            "Type /migrate hold to stop it before its next step, or ask an owner.",
            people=policy.owners or policy.approvers,
        )


def named(run: Run, person: Person, people: frozenset[str]) -> None:
    """What a person was asked to try is answered by them, or by somebody who may steer."""
    member(person)
    if not person.is_one_of(people) and not _steers(run, person):
        raise r.NotAsked(
            "You were not asked for this, so nothing was recorded.", "Tell the people who were asked.", people=people
        )


def keeper(run: Run, person: Person) -> None:
    """A handed-over run is given back or closed by its keeper, or by somebody who could have taken it."""
    member(person)
    holder = run.keeper.person if run.keeper else ""
    if person.id != holder and not _steers(run, person):
        raise r.NotTheKeeper(
            "This run is in somebody else's hands, so nothing was done.",
            "Ask the person who holds it, or an owner.",
            people=run.plan.policy.owners | {holder},
        )


def _steers(run: Run, person: Person) -> bool:
    policy = run.plan.policy
    return person.is_one_of(policy.owners | policy.approvers | policy.on_call | {run.executor})
