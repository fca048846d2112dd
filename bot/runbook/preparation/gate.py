"""The gate before the start: what is missing, item by item, person by person.  Empty means that it is open."""

from bot.runbook import window
from bot.runbook.preparation.checklist import LINES
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.preparation.standing import Standing, Status, checklist
from bot.runbook.wording import duration, moment


def unmet(p: Preparation) -> tuple[Status, ...]:
    """The items that are neither shown to be true nor waived."""
    return tuple(each for each in checklist(p) if not each.standing.met)


def without_go(p: Preparation) -> tuple[str, ...]:
    """Who of the team has not said Go to the plan as it is now, and how that stands."""
    found = []
    for member in p.draft.team:
        answer = p.answer(member.id)
        if answer is None:
            found.append(f"No Go from {member.name} yet")
        elif not answer.go:
            found.append(f"No-go from {member.name}: {answer.reason}")
    return tuple(found)


def missing(p: Preparation) -> tuple[str, ...]:
    """Everything that is missing apart from the hour, in words."""
    return (*(_said(each) for each in unmet(p)), *without_go(p), *too_short(p), *unapprovable(p))


def too_short(p: Preparation) -> tuple[str, ...]:
    """The window cannot hold what is expected: the run would be held at its first step."""
    needed, length = window.needs(p.to_run()), p.draft.window.end - p.draft.window.start
    if needed <= length:
        return ()
    return (f"The window is {duration(length)} long, and the migration with its way back needs {duration(needed)}",)


def unapprovable(p: Preparation) -> tuple[str, ...]:
    """Neither who starts nor who wrote the plan counts as an approver; with groups nobody can say beforehand."""
    policy = p.draft.plan.policy
    able = policy.approvers if policy.self_approval else policy.approvers - {p.starter or p.author, p.author}
    if any(each.startswith("S") for each in able) or len(able) >= policy.quorum:
        return ()
    return (f"It needs {policy.quorum} approvals, and apart from its author and starter there are {len(able)} people",)


def outside_window(p: Preparation, now: float) -> str:
    """Why the hour is wrong; empty inside the window."""
    hours = p.draft.window
    if now < hours.start:
        return f"The maintenance window begins {moment(hours.start, hours.zone)}"
    if now >= hours.end:
        return f"The maintenance window ended {moment(hours.end, hours.zone)}"
    if p.rehearsing(now):
        return "A rehearsal is under way; it holds the database's guard until it has made its backup"
    return ""


def _said(each: Status) -> str:
    text = LINES[each.item].text
    if each.waiting:
        return f"{text}: its waiver waits for a second person"
    how = "failed" if each.standing is Standing.FAILED else "open"
    return f"{text}: {how}" + (f" – {each.why[0]}" if each.why else "")
