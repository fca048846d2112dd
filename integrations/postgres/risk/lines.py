"""The risk of a migration in lines for the question whether to apply it.

They are for people and no part of what the approval is bound to: the sizes they speak of change all the time.
"""

from bot.runbook.risk import Risk
from integrations.postgres.risk.estimate import spoken
from integrations.postgres.risk.model import Assessment, StatementRisk
from integrations.postgres.words import plural

MOST = 12  # lines in all
_LONGEST = 200  # characters of a line
_ROOM = 1300  # characters of all: the question shows two thousand
_REASONS = 3
_GLYPH = {Risk.HIGH: "⚠️ ", Risk.MEDIUM: "", Risk.LOW: ""}
_ORDER = (Risk.HIGH, Risk.MEDIUM, Risk.LOW)


def spoken_lines(found: Assessment) -> tuple[str, ...]:
    """The whole first, then each statement that is not harmless, gravest first, as far as there is room."""
    risky = [each for each in found.statements if each.level is not Risk.LOW]
    risky.sort(key=lambda each: _ORDER.index(each.level))
    said = [_whole(found), _downtime(found), *(_short(f"⚠️ Risk: {each}") for each in found.notes)]
    for number, each in enumerate(risky):
        line = _statement(each)
        if len(said) + 1 >= MOST or sum(map(len, said)) + len(line) > _ROOM:
            return (*said, f"… and {plural(len(risky) - number, 'more statement')} of medium or high risk")
        said.append(line)
    return tuple(said)


def _whole(found: Assessment) -> str:
    shown = "; ".join(found.reasons[:_REASONS])
    more = f"; and {plural(len(found.reasons) - _REASONS, 'more reason')}" if len(found.reasons) > _REASONS else ""
    return f"{_GLYPH[found.level]}Risk: {found.level.capitalize()}, because: {_short(shown)}{more}"


def _downtime(found: Assessment) -> str:
    if found.downtime is None:
        return _short(f"Reads or writes wait: nobody knows how long ({found.downtime_basis})")
    if found.downtime == 0.0:
        return f"Reads or writes wait: only for the moment of each lock ({found.downtime_basis})"
    return f"Reads or writes wait: {spoken(found.downtime)} ({found.downtime_basis})"


def _statement(each: StatementRisk) -> str:
    """Where, why, under which lock, how long; and how nobody would have to wait, where there is room for it."""
    line = _short(f"{_GLYPH[each.level]}{each.file} line {each.line}: {'; '.join(each.reasons[:2])}")
    parts = []
    if each.locks:
        name, mode = max(each.locks.items(), key=lambda pair: pair[1])
        more = f" and {plural(len(each.locks) - 1, 'other')}" if len(each.locks) > 1 else ""
        parts.append(f"{mode.words} on {name.removeprefix('public.')}{more}")
    if each.seconds and each.seconds >= 1:
        parts.append(f"{spoken(each.seconds)} ({each.basis})")
    parts += [f"Better: {better}" for better in each.safer[:1]]
    for part in parts:
        line = f"{line}. {part}" if len(line) + len(part) < _LONGEST else line
    return line


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
