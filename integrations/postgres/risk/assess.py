"""The risk of a migration, statement by statement; pure: what is known of the database comes in as ``Facts``."""

from collections.abc import Sequence
from dataclasses import replace

from bot.runbook.risk import Risk
from integrations.postgres.parser import postgast
from integrations.postgres.risk.code import run
from integrations.postgres.risk.effects import Effects
from integrations.postgres.risk.estimate import Estimate, Measured, known_or_estimated
from integrations.postgres.risk.facts import Facts
from integrations.postgres.risk.judge import effects_of, judge
from integrations.postgres.risk.model import UNKNOWN, Assessment, Lock, StatementRisk
from integrations.postgres.risk.rows import remember_rule
from integrations.postgres.risk.verdict import of_statement, overall
from integrations.postgres.risk.world import World
from integrations.postgres.script import Script
from integrations.postgres.statements import Statement


def assess(scripts: Sequence[Script], facts: Facts, measured: Measured | None = None) -> Assessment:
    """Judge every statement in the light of those before it; whatever parses is judged or said to be unjudged.

    ``measured`` are figures of a rehearsal, which replace what would be estimated.
    """
    world = _world(facts)
    found: list[StatementRisk] = []
    for script in scripts:
        if script.trouble or not script.statements:
            found.append(_unparsed(script))
            continue
        for number, each in enumerate(script.statements, start=1):
            found.append(_one(world, script.name, number, each, measured or Measured()))
    notes = tuple(f"not found out: {each}" for each in facts.missing)
    return overall(found, notes, [(each.name, not each.outside) for each in scripts])


def _world(facts: Facts) -> World:
    """The database before the migration, its rules parsed."""
    world = World(facts)
    for table, definition in facts.rules:
        for raw in postgast.parse(definition).stmts:
            remember_rule(Effects(world=world, judge=judge, calls=run), table, raw.stmt.rule_stmt)
    return world


def _one(world: World, file: str, number: int, statement: Statement, measured: Measured) -> StatementRisk:
    try:
        [raw] = postgast.parse(statement.text).stmts
        effects = effects_of(world, raw.stmt, statement.text)
    except Exception as error:  # noqa: BLE001 - a statement no rule foresaw must be said to be unjudged, not stop the step
        return _unjudged(file, number, statement, f"the check failed on it ({type(error).__name__})")
    guess = known_or_estimated(effects, measured, (file, statement.first_line))
    return _judged(effects, file, number, statement, guess)


def _judged(effects: Effects, file: str, number: int, statement: Statement, guess: Estimate) -> StatementRisk:
    level, reasons = of_statement(effects, guess, statement.outside)
    return StatementRisk(
        file=file, number=number, line=statement.first_line, last_line=statement.last_line, text=statement.text,
        does=_joined(effects.does), level=level, reasons=reasons, locks=_locks(effects),
        rewrites=dict(effects.rewrites), scans=dict(effects.scans), destroys=_once(effects.destroys),
        unjudged=_once(effects.unjudged), irreversible=_once(effects.irreversible),
        notes=_once([*effects.fails, *effects.breaks, *effects.notes]), safer=_once(effects.safer),
        outside=statement.outside, seconds=guess.seconds, basis=guess.basis,
    )  # fmt: skip


def _joined(does: list[str]) -> str:
    said = list(dict.fromkeys(does))
    shown = "; ".join(said[:6]).replace(":;", ":") or "nothing"
    return shown if len(said) <= 6 else f"{shown}; and {len(said) - 6} more"


def _locks(effects: Effects) -> dict[str, Lock]:
    """What cannot be judged may lock anything."""
    return effects.locks | ({UNKNOWN: Lock.ACCESS_EXCLUSIVE} if effects.unjudged else {})


def _once(many: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(many))


def _unjudged(file: str, number: int, statement: Statement, why: str) -> StatementRisk:
    return StatementRisk(
        file=file, number=number, line=statement.first_line, last_line=statement.last_line, text=statement.text,
        does="cannot be judged", level=Risk.HIGH, reasons=(f"cannot be judged: {why}",),
        locks={UNKNOWN: Lock.ACCESS_EXCLUSIVE}, rewrites={}, scans={}, unjudged=(why,), outside=statement.outside,
        seconds=None, basis="nothing is known of it",
    )  # fmt: skip


def _unparsed(script: Script) -> StatementRisk:
    why = f"PostgreSQL's parser does not take it: {script.trouble}" if script.trouble else "it holds no statement"
    whole = Statement(text=script.text, first_line=1, last_line=script.text.count("\n") + 1, kind="")
    found = _unjudged(script.name, 1, whole, why)
    if script.trouble:
        return found
    return replace(found, level=Risk.LOW, reasons=(), locks={}, unjudged=(), does="holds no statement", seconds=0.0)
