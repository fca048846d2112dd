"""A second opinion: squawk (https://squawkhq.com/docs/rules), a linter with PostgreSQL in mind.

It knows neither the database nor what a statement destroys; what it has to say beyond our own judgement is shown.  It
never keeps a question from being asked: absent, too slow or broken, that is said in one line.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from integrations.postgres.risk.model import StatementRisk
from integrations.postgres.script import Script
from integrations.postgres.words import plural
from integrations.process import base_env, run_child

TIME_LIMIT = 10.0  # seconds for a file; three thousand statements take it an eighth of one
LARGEST = 2_000_000  # bytes it is asked about
_SHOWN, _WIDEST = 3, 160
#: Rules that the bot itself makes true: it sets both time-outs, and runs each file in one transaction where it can.
_KEPT_BY_US = ("require-timeout-settings", "require-lock-timeout", "require-statement-timeout", "prefer-robust-stmts")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What it said of one place; ``line`` counts from 1."""

    file: str
    line: int
    rule: str
    message: str


def _destroys(each: StatementRisk) -> bool:
    return each.destructive


def _concurrently(each: StatementRisk) -> bool:
    return any("CONCURRENTLY" in better for better in each.safer) or bool(each.scans)


def _validated(each: StatementRisk) -> bool:
    return any("VALID" in better or "CONCURRENTLY" in better for better in each.safer) or bool(each.scans)


def _rewrites(each: StatementRisk) -> bool:
    return bool(each.rewrites) or any("changes no stored byte" in note for note in each.notes)


def _renames(each: StatementRisk) -> bool:
    return "renames" in each.does


def _required(each: StatementRisk) -> bool:
    return any("NOT NULL without a default" in note for note in each.notes)


#: Its rule -> do we say the same of that statement, from the real database?
SAME: Mapping[str, Callable[[StatementRisk], bool]] = {
    **dict.fromkeys(("ban-drop-column", "ban-drop-table", "ban-drop-database", "ban-drop-schema"), _destroys),
    **dict.fromkeys(("ban-drop-sequence", "ban-truncate-cascade", "ban-drop-extension"), _destroys),
    **dict.fromkeys(("require-concurrent-index-creation", "require-concurrent-index-deletion"), _concurrently),
    **dict.fromkeys(("require-concurrent-reindex", "require-concurrent-partition-detach"), _concurrently),
    **dict.fromkeys(("constraint-missing-not-valid", "adding-foreign-key-constraint"), _validated),
    **dict.fromkeys(("disallowed-unique-constraint", "adding-not-nullable-field"), _validated),
    **dict.fromkeys(("changing-column-type", "adding-field-with-default", "prefer-repack"), _rewrites),
    "adding-serial-primary-key-field": _rewrites,
    **dict.fromkeys(("renaming-column", "renaming-table"), _renames),
    "adding-required-field": _required,
}


async def second_opinion(
    scripts: Sequence[Script],
    statements: Sequence[StatementRisk],
    *,
    major: int,
    exclude: Sequence[str] = (),
    binary: str | None = None,
) -> tuple[str, ...]:
    """What squawk adds, in at most four lines; ``binary`` is found by itself, ``exclude`` are rules not to apply."""
    program = binary or found()
    if program is None:
        return ("squawk: not installed, so there is no second opinion (pip install squawk-cli).",)
    findings: list[Finding] = []
    for script in scripts:
        if len(script.data) > LARGEST or script.trouble:
            continue
        try:
            findings += await _asked(program, script, major, exclude)
        except (OSError, ValueError) as error:
            return (f"squawk: no second opinion on {script.name}: {' '.join(str(error).split())[:_WIDEST]}",)
    return spoken(without_ours(findings, statements))


def found() -> str | None:
    """The program beside this interpreter, or on the PATH."""
    return shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")


async def _asked(program: str, script: Script, major: int, exclude: Sequence[str]) -> list[Finding]:
    """Its findings in one file; raises ``ValueError`` when it gives no usable answer."""
    rules = ",".join(dict.fromkeys((*_KEPT_BY_US, *exclude)))
    argv = [program, "--reporter", "json", f"--pg-version={major}.0", f"--exclude={rules}"]
    argv += [] if script.outside else ["--assume-in-transaction"]
    said: list[str] = []
    # From the root folder: no configuration of anybody's is read by accident.
    done = await run_child(
        [*argv, f"--stdin-filepath={script.name}"],
        env=base_env(), cwd=Path("/"), on_line=said.append, time_limit=TIME_LIMIT, stdin=script.data,
    )  # fmt: skip
    if done.timed_out:
        raise ValueError(f"no answer within {TIME_LIMIT:.0f} s")
    return parsed(script.name, "".join(said))


def parsed(file: str, answer: str) -> list[Finding]:
    """Its JSON; exit codes do not tell findings from failures.  Raises ``ValueError`` for anything else."""
    try:
        answered = json.loads(answer)
        return [
            Finding(file=file, line=int(each["line"]) + 1, rule=str(each["rule_name"]), message=str(each["message"]))
            for each in answered
        ]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"it said: {answer or 'nothing'}") from None


def without_ours(findings: Sequence[Finding], statements: Sequence[StatementRisk]) -> list[Finding]:
    """What our own judgement of the same statement does not say already."""
    return [each for each in findings if not _is_ours(each, statements)]


def _is_ours(finding: Finding, statements: Sequence[StatementRisk]) -> bool:
    same = SAME.get(finding.rule)
    here = (each for each in statements if each.file == finding.file and each.line <= finding.line <= each.last_line)
    return same is not None and any(same(each) for each in here)


def spoken(findings: Sequence[Finding]) -> tuple[str, ...]:
    """A line for each rule, with every place it was broken in."""
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for each in findings:
        by_rule.setdefault((each.file, each.rule), []).append(each)
    lines = [_line(file, rule, many) for (file, rule), many in by_rule.items()]
    left = len(lines) - _SHOWN
    return (*lines[:_SHOWN], *([f"squawk: and {plural(left, 'more rule')} broken"] if left > 0 else []))


def _line(file: str, rule: str, many: Sequence[Finding]) -> str:
    numbers = list(dict.fromkeys(str(each.line) for each in many))
    where = f"line{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:5])}{' …' if len(numbers) > 5 else ''}"
    line = f"squawk: {file} {where}: {' '.join(many[0].message.split())} ({rule})"
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - len(rule) - 4]}… ({rule})"
