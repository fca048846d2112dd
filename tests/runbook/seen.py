"""What tells two states of a run apart, and how they are spoken of."""

from typing import Any

from tests.runbook.move import Memory, needs


def seen_as(run: Any, now: float, memory: Memory) -> tuple[Any, ...]:
    """What tells two states apart: each field only where somebody still reads it."""
    working, rollback = run.state == "working", run.route == "rollback" and run.position == 0
    return (
        run.state, run.route, run.position, run.claim is None, min(run.attempt, 2) if working else bool(run.question),
        _question(run, now), _grant(run, now), run.hold is None, run.services_down, run.database_state, run.backed_up,
        _watch(run), bool(run.rollback_wanted), run.left if rollback or run.rollback_wanted else None, _blockers(run),
        run.database_before if working else None, _breach(run), run.rung_wanted, bool(run.signed),
        run.offered and run.offered.to, run.executor, run.hands,
        run.deadline_told, *_window(run, now), memory.down, memory.gone_back, memory.kept,
        run.proposed, tuple(sorted(memory.tried.items())), _last_word(run),
        bool(run.analyzing), run.analyzed, _blind(run), bool(run.database_notes),
        memory.destroys if run.step.name == "apply" else None,
        memory.pulled and (run.route == "forward" or rollback),
    )  # fmt: skip


def _blind(run: Any) -> bool:
    """Did the last verification find tables without statistics?"""
    verified = [each for each in run.done if each.step == "verify"]
    return bool(verified and verified[-1].facts)


def _last_word(run: Any) -> Any:
    """Who said what of the check by hand last: said again by the same person, it is refused."""
    if not run.answers or not (run.before_any_change or run.state == "watching"):
        return None
    last = run.answers[-1]
    return last.moment, last.person, last.works


def _window(run: Any, now: float) -> tuple[bool, bool]:
    """Whether the rest still fits the window, and whether it is held for that."""
    end = run.window_end
    return end is not None and needs(run) > end - now, bool(run.hold and run.hold.window)


def _breach(run: Any) -> bool:
    """That a criterion opened the way back matters only where the bot may go it without asking."""
    return run.breach is not None and (run.plan.auto_rollback or run.plan.envelope is not None)


def _question(run: Any, now: float) -> tuple[Any, ...] | None:
    asked = run.question
    if asked is None:
        return None
    people = frozenset(each.person for each in asked.approvals)
    return (
        asked.step,
        asked.digest,
        people,
        asked.reminded,
        now > asked.expires_at,
        asked.word,
        asked.rung,
        asked.quorum,
    )


def _grant(run: Any, now: float) -> tuple[Any, ...] | None:
    """A grant's age matters until it is first used."""
    if run.grant is None:
        return None
    unused = run.since == run.grant.at
    old = now - run.grant.at > run.plan.timing.grant_life
    return run.grant.step, run.grant.digest, len(run.grant.approvals), unused, unused and old, run.grant.by


def _blockers(run: Any) -> tuple[Any, ...]:
    return tuple((frozenset(each.person for each in one.approvals), one.granted) for one in run.blockers)


def _watch(run: Any) -> tuple[Any, ...] | None:
    """Of all samples: how long is watched, and for how long a limit has been passed without a gap."""
    if not run.samples or run.state != "watching":
        return None
    newest, timing = run.samples[-1], run.plan.timing
    over, later = 0.0, newest
    for each in reversed(run.samples):
        if not (each.error_rate or 0) > 0.1 or later.at - each.at > 3 * timing.sample_every:
            break
        over, later = newest.at - each.at, each
    watched = min(round(newest.at - run.since), round(timing.monitor_for))
    return watched, newest.error_rate, newest.p95_ms, min(round(over), round(timing.sustained_for)), run.judgement


def spoken(intent: Any) -> str:
    """An intent in a few words."""
    if intent is None:
        return "(time passes)"
    who = getattr(getattr(intent, "person", None), "name", "")
    names = ("kind", "number", "digest", "attempt", "claim", "database")
    told = " ".join(f"{name}={str(getattr(intent, name))[:9]}" for name in names if hasattr(intent, name))
    return f"{type(intent).__name__}({' '.join(each for each in (who, told) if each)})"


def standing(run: Any) -> str:
    """Where a run is, in a few words."""
    down = " down" if run.services_down else ""
    return f"{run.state} {run.route}:{run.step.name} db={run.database_state}{down}"
