"""Game day: the whole runbook as an exercise on a throw-away copy, with faults injected on purpose."""

import re
from collections.abc import Awaitable
from typing import TypeVar

from bot.gameday.games import Wish
from bot.runbook.exercise import DEFAULT, Fault
from bot.runbook.people import Person
from bot.runbook.refusals import Invalid, Unauthorised
from bot.runbook.run import Run
from bot.target import Target
from bot.views.text import escape
from commands.desk import Desk, Reply
from commands.fields import may_start, out_of_reach
from commands.parse import Request

T = TypeVar("T")
SPEED = 20.0  # times faster than life: the runbook's 30 minutes of watching take one and a half
_SPEEDS = (1.0, 600.0)
_FLAG = re.compile(r"(?:--|—|–)faults\b")  # keyboards turn two hyphens into a dash
_HOW = "Type /migrate drill --faults PLAN, or /migrate drill --faults TARGET FILE…"


def wanted(request: Request) -> bool:
    """Does ``/migrate drill …`` ask for a game day?"""
    return bool(_FLAG.search(request.words))


async def gameday(desk: Desk, request: Request) -> Reply:
    """``/migrate drill --faults [PLAN | TARGET FILE…] [FAULT…] [speed=N]``."""
    words = _FLAG.sub(" ", request.words).split()
    faults = tuple(each for each in Fault if each.value in words) or DEFAULT
    speed = _speed(words)
    rest = [each for each in words if each not in set(Fault) and not each.startswith("speed=")]
    target, files, down, name, purpose, downtime = await _what(desk, rest)
    person = await _who(desk, request, target)
    if Fault.BACKUP in faults and len(faults) > 1:
        raise Invalid(
            "A damaged backup ends the run before any other fault's moment.", "Exercise it alone: … --faults backup."
        )
    game = await desk.games.ask(
        Wish(
            target=target.name, migrations=files, down=down, name=name, purpose=purpose, downtime=downtime,
            faults=faults, speed=speed, person=person.id, person_name=person.name,
        )
    )  # fmt: skip
    ready = f"The game day of {escape(name or target.name)} is made ready as {game.run_id}"
    return Reply(text=f"ℹ️ {ready}; it asks in <#{target.channel}>.", channel=target.channel)


_What = tuple[Target, tuple[str, ...], tuple[str, ...], str, str, bool]


async def _what(desk: Desk, words: list[str]) -> _What:
    """The migration of a plan (the one that is named, or the only open one), or files of a target."""
    if words and not words[0].startswith("p-"):
        return _files(desk, words)
    if words:
        plan = await desk.planner.load(words[0])
    else:
        plans = await desk.planner.open()
        if len(plans) != 1:
            raise Invalid("It is not clear which plan is to be exercised.", _HOW)
        plan = plans[0]
    planned = plan.draft.plan
    target = _target(desk, planned.target)
    return target, planned.migrations, planned.down, planned.name, planned.purpose, planned.downtime


def _files(desk: Desk, words: list[str]) -> _What:
    target, files = _target(desk, words[0]), tuple(words[1:])
    if not files:
        raise Invalid("No migration file is named.", _HOW)
    down = tuple(f"{each.removesuffix('.sql')}.down.sql" for each in reversed(files))
    there = tuple(each for each in down if (target.migrations / each).is_file())
    return target, files, there if len(there) == len(files) else (), "", "", True


def _target(desk: Desk, name: str) -> Target:
    """Only configured targets: there is no exercise of an exercise."""
    if name not in list(desk.targets):
        raise Invalid(f"There is no target “{name}”.", _HOW)
    return desk.targets[name]


async def _who(desk: Desk, request: Request, target: Target) -> Person:
    person = await desk.person(request, target.policy)
    may_start(person, target)
    if problem := out_of_reach(target, person.id):
        raise Invalid(problem, "Then type the command again.")
    return person


def _speed(words: list[str]) -> float:
    typed = next((each.removeprefix("speed=") for each in words if each.startswith("speed=")), "")
    if not typed:
        return SPEED
    least, most = _SPEEDS
    if not re.fullmatch(r"\d+(\.\d+)?", typed) or not least <= float(typed) <= most:
        raise Invalid(f"“{typed}” is no speed.", f"Give a number from {least:g} to {most:g}, e.g. speed=20.")
    return float(typed)


async def counted(desk: Desk, run: Run, asking: Awaitable[T]) -> T:
    """The same; in an exercise, an answer of somebody who may not give it counts for the score."""
    try:
        return await asking
    except Unauthorised:
        if run.plan.exercise:
            await desk.games.count_refused(run.id)
        raise
