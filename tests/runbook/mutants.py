"""Broken copies of the core: each takes one promise away, and the exploration must notice which."""

import sys
from dataclasses import dataclass
from pathlib import Path

import bot.runbook
from tests.runbook.cast import Core, load

SOURCE = Path(bot.runbook.__file__).parent
PURE_TEXT = {"texts.py", "wording.py", "silence.py"}  # words for people: no judgement in them


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One substitution in one module, and the invariants that may notice it first."""

    name: str
    module: str
    was: str
    becomes: str
    caught_by: tuple[str, ...]


def breed(mutant: Mutant, folder: Path) -> Core:
    """The core with the substitution made, as a package of its own; the real one is untouched."""
    package = f"broken_{mutant.name.replace(' ', '_').replace('-', '_')}"
    (folder / package).mkdir()
    for path in SOURCE.glob("*.py"):
        if path.name not in PURE_TEXT:
            source = path.read_text(encoding="utf-8")
            if path.stem == mutant.module:
                assert source.count(mutant.was) == 1, f"{mutant.name}: found {source.count(mutant.was)} times"
                source = source.replace(mutant.was, mutant.becomes)
            (folder / package / path.name).write_text(source.replace("bot.runbook", package), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        return load(package)
    finally:
        sys.path.remove(str(folder))


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        name="approval check removed",
        module="decide",
        was='why = _unlicensed(run, intent.digest, now) if run.step.destructive else ""',
        becomes='why = ""',
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="nothing is asked for",
        module="apply",
        was="return State.WORKING if step.asked_by is None or covered else State.PREPARING",
        becomes="return State.WORKING",
        caught_by=("i1_consent", "i1_no_means_no", "i3_never_stuck"),
    ),
    Mutant(
        name="quorum off by one",
        module="decide_people",
        was="if len(question.approvals) + 1 < run.plan.policy.quorum:",
        becomes="if len(question.approvals) + 2 < run.plan.policy.quorum:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="second click counts twice",
        module="authority",
        was="if any(each.person == person.id for each in given):",
        becomes="if False:",
        caught_by=("i1_consent", "i2_said_twice"),
    ),
    Mutant(
        name="self-approval counted",
        module="authority",
        was="if person.id == run.plan.starter and not policy.self_approval:",
        becomes="if False:",
        caught_by=("i1_consent", "i1_blockers"),
    ),
    Mutant(
        name="guests allowed",
        module="authority",
        was="if person.guest or person.stranger or person.inactive:",
        becomes="if person.stranger or person.inactive:",
        caught_by=("i1_consent", "i1_no_means_no", "i7_way_back"),
    ),
    Mutant(
        name="anybody approves",
        module="authority",
        was="if not person.is_one_of(policy.approvers):",
        becomes="if False:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="anybody declines",
        module="authority",
        was="if person.id != run.plan.starter and not person.is_one_of(policy.approvers | policy.owners):",
        becomes="if False:",
        caught_by=("i1_no_means_no",),
    ),
    Mutant(
        name="anybody resumes",
        module="authority",
        was="    if not _steers(run, person):\n        raise r.NotAnOwner(",
        becomes="    if False:\n        raise r.NotAnOwner(",
        caught_by=("i7_way_back",),
    ),
    Mutant(
        name="digest ignored at the click",
        module="decide_people",
        was="if intent.digest != question.digest:",
        becomes="if False:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="digest ignored at the start",
        module="decide",
        was="if digest != run.grant.digest:",
        becomes="if False:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="grant age ignored",
        module="decide",
        was="if unused and now - run.grant.at > run.plan.timing.grant_life:",
        becomes="if False:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="expired question accepted",
        module="decide_people",
        was="if now > question.expires_at:",
        becomes="if False:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="word not asked",
        module="decide_people",
        was="if question.word is not None and intent.word.strip() != question.word:",
        becomes="if False:",
        caught_by=("i1_consent",),
    ),
    Mutant(
        name="terminal state left",
        module="decide",
        was="    if run.final:\n",
        becomes="    if run.final and isinstance(intent, i.Approve):\n",
        caught_by=("i5_over_is_over",),
    ),
    Mutant(
        name="status timer forgotten",
        module="timers",
        was="found = {Timer(kind=TimerKind.STATUS, due=run.status_at + timing.status_every)}",
        becomes="found: set[Timer] = set()",
        caught_by=("i3_never_stuck",),
    ),
    Mutant(
        name="kick timer forgotten",
        module="timers",
        was="found.add(Timer(kind=TimerKind.KICK, due=run.since + timing.kick_every))",
        becomes="pass",
        caught_by=("i3_never_stuck",),
    ),
    Mutant(
        name="sample timer forgotten",
        module="timers",
        was="found.add(Timer(kind=TimerKind.SAMPLE, due=latest + timing.sample_every))",
        becomes="pass",
        caught_by=("i3_never_stuck",),
    ),
    Mutant(
        name="expiry timer forgotten",
        module="timers",
        was="found = {Timer(kind=TimerKind.EXPIRE, due=question.expires_at)}",
        becomes="found: set[Timer] = set()",
        caught_by=("i3_never_stuck",),
    ),
    Mutant(
        name="reminder timer forgotten",
        module="timers",
        was="found.add(Timer(kind=TimerKind.REMIND, due=due))",
        becomes="pass",
        caught_by=("i3_never_stuck",),
    ),
    Mutant(
        name="nudge timer forgotten",
        module="timers",
        was="found.add(Timer(kind=TimerKind.NUDGE, due=run.nudged_at + timing.nudge_every))",
        becomes="pass",
        caught_by=("i3_never_stuck",),
    ),
    Mutant(
        name="nudge never moves on",
        module="apply",
        was="return replace(run, nudged_at=at)",
        becomes="return run",
        caught_by=("i3_asks_again", "i2_said_twice"),
    ),
    Mutant(
        name="hold ignored",
        module="decide",
        was="if run.hold is not None and run.attempt == 0:",
        becomes="if False:",
        caught_by=("hold_holds",),
    ),
    Mutant(
        name="hold lost between steps",
        module="paths",
        was="return (*onward, e.Held(hold=after.hold, at=now)) if after.hold else onward",
        becomes="return onward",
        caught_by=("hold_holds",),
    ),
    Mutant(
        name="asked over a hold",
        module="decide",
        was="return (*voided, *pause(run, run.hold, now)) if run.hold and not run.rollback_wanted else voided",
        becomes="return voided",
        caught_by=("i3_never_stuck",),
    ),
    Mutant(
        name="claim not checked",
        module="decide",
        was="if run.state is not State.WORKING or run.claim != claim:",
        becomes="if run.state is not State.WORKING:",
        caught_by=("i2_one_claim",),
    ),
    Mutant(
        name="attempt not checked",
        module="decide",
        was='intent.attempt != run.attempt + 1 or not _at(run, intent.step):\n        raise r.Stale("This attempt',
        becomes='not _at(run, intent.step):\n        raise r.Stale("This attempt',
        caught_by=("i2_one_claim", "i2_said_twice"),
    ),
    Mutant(
        name="late worker believed",
        module="decide",
        was="return step in (None, run.step.name)",
        becomes="return True",
        caught_by=("i2_one_claim",),
    ),
    Mutant(
        name="services_down not set",
        module="apply",
        was="return replace(run, services_down=True, down_at=run.down_at or event.at, up_at=None)",
        becomes="return run",
        caught_by=("i4_services",),
    ),
    Mutant(
        name="left with services down",
        module="paths",
        was="return Route.RETURN if run.services_down else Route.CANCEL",
        becomes="return Route.CANCEL",
        caught_by=("i4_services",),
    ),
    Mutant(
        name="abort allowed after change",
        module="paths",
        was="if run.database_state is not Database.UNTOUCHED:",
        becomes="if False:",
        caught_by=("i4_database",),
    ),
    Mutant(
        name="beginning is not a change",
        module="apply",
        was="return replace(run, database_state=Database.UNKNOWN)",
        becomes="return run",
        caught_by=("i4_database",),
    ),
    Mutant(
        name="reject ignored",
        module="decide_people",
        was='return (rejected, *_after_no(run, intent.person, f"{intent.person.name}: {reason}", now))',
        becomes="return (rejected,)",
        caught_by=("i1_no_means_no", "i3_never_stuck"),
    ),
    Mutant(
        name="no taken for yes",
        module="decide_people",
        was='return (rejected, *_after_no(run, intent.person, f"{intent.person.name}: {reason}", now))',
        becomes="return (rejected, e.Granted(step=question.step, digest=question.digest, at=now))",
        caught_by=("i1_no_means_no",),
    ),
    Mutant(
        name="announcement skipped",
        module="paths",
        was="if run.position + 1 == len(run.steps):",
        becomes="if run.position + 2 >= len(run.steps):",
        caught_by=("i5_final",),
    ),
    Mutant(
        name="rollback refused",
        module="decide_people",
        was="if not run.backed_up:",
        becomes="if run.services_down:",
        caught_by=("i7_offered", "i7_way_back"),
    ),
    Mutant(
        name="rollback forgotten",
        module="paths",
        was="return (enter(run, Route.ROLLBACK, 0, now, run.rollback_wanted),) if run.rollback_wanted else ()",
        becomes="return ()",
        caught_by=("i7_way_back",),
    ),
    Mutant(
        name="half a rollback declined",
        module="decide_people",
        was="if run.step.name is StepName.ANNOUNCE_ROLLBACK and run.left is not None:",
        becomes="if run.route is Route.ROLLBACK and run.left is not None:",
        caught_by=("i7_way_back",),
    ),
    Mutant(
        name="ledger forgets the word",
        module="codec",
        was="given[field.name] = _build(_hints(kind)[field.name], value[field.name])",
        becomes='given[field.name] = _build(_hints(kind)[field.name], value[field.name]) if field.name != "word" else None',
        caught_by=("i6_replay",),
    ),
)
