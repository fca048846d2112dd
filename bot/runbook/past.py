"""Runs of the past: which ones are asked for, and what they say together."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from bot.runbook.estimates import error
from bot.runbook.refusals import Invalid
from bot.runbook.run import FINAL, Run, State
from bot.runbook.texts import downtime
from bot.runbook.wording import counted, duration

_DAY = 86400.0
_STAYED = frozenset({State.CANCELLED, State.RETURNED})  # it ended before the database was touched


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Empty, or zero, where it does not matter; ``since`` is POSIX seconds."""

    target: str = ""
    state: str = ""
    since: float = 0.0


def wanted(words: str, targets: Collection[str], now: float) -> Wanted:
    """Of what was typed: names of targets, states, ``30d`` or a date; also as ``target=…``, ``state=…``, ``since=…``.

    Raises ``Invalid`` for a word that is none of these.
    """
    target, state, since = "", "", 0.0
    for word in words.split():
        name, _, value = word.rpartition("=")
        if name in ("", "state") and value in set(State):
            state = value
        elif name in ("", "since") and (found := _since(value, now)) is not None:
            since = found
        elif name == "target" or (not name and value in targets):
            target = value
        else:
            raise Invalid(
                f"“{word}” is no target, state or time.",
                "Type e.g. /migrate history casework rolled_back since=2026-01-31, or 30d for the last 30 days.",
            )
    return Wanted(target=target, state=state, since=since)


def _since(word: str, now: float) -> float | None:
    if days := re.fullmatch(r"(\d{1,4})d", word):
        return now - int(days[1]) * _DAY
    try:
        found = date.fromisoformat(word)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()


def figures(runs: Sequence[Run], now: float) -> tuple[str, ...]:
    """How many succeeded, how long services were down, how far off the estimates were; empty without such runs.

    Clean-ups and exercises do not count; a run that ended before anything was touched is neither a success nor not.
    """
    counting = [each for each in runs if not each.plan.cleans and not each.plan.exercise]
    tried = [each for each in counting if each.state in FINAL.values() and each.state not in _STAYED]
    if not tried:
        return ()
    done = sum(each.state is State.COMPLETED for each in tried)
    down = [downtime(each, now) for each in tried]
    off = error(tried)
    return (
        f"Success: {done} of {counted(len(tried), 'migration')} ({done / len(tried):.0%})",
        f"Downtime: {duration(sum(down))} in all, {duration(max(down))} at most, {duration(sum(down) / len(down))}"
        " on average",
        *((f"Estimates: {off}",) if off else ()),
    )
