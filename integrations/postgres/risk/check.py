"""``RiskCheck`` over PostgreSQL: for plans, which have no run yet and so no session of a step."""

import asyncio
from dataclasses import replace

from bot.ports import StepError
from bot.runbook.risk import RiskReport
from bot.target import Target
from integrations.postgres.connect import session
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.facts import Facts
from integrations.postgres.risk.summary import judged, unjudged
from integrations.postgres.script import Script, read_migration

_NAME = "migrate/risk"  # as the session calls itself
_QUICK = 200_000  # bytes of SQL that are parsed while somebody waits for an answer in Slack


def surely_destroys(target: Target, migrations: tuple[str, ...]) -> bool:
    """Does it stand in the files themselves that data is destroyed, whatever the database is like?

    Quick, and no replacement for the check before the migration is applied: what only the database can tell (cascades,
    triggers, its own functions) is not known here, and files too large to parse in a moment are left to that check.
    """
    try:
        scripts = _scripts(target, migrations)
    except StepError:
        return False  # such a file is refused when its turn comes
    if sum(len(each.data) for each in scripts) > _QUICK:
        return False
    return any(each.trouble for each in scripts) or any(each.destroys for each in assess(scripts, Facts()).statements)


def _scripts(target: Target, migrations: tuple[str, ...]) -> list[Script]:
    return [read_migration(target, name) for name in migrations]


class PostgresRiskCheck:
    """Reads the files anew and opens a short session of its own for every judgement."""

    async def judge(self, target: Target, migrations: tuple[str, ...]) -> RiskReport:
        """See the port: never raises, and says what it could not find out."""
        try:
            scripts = await asyncio.to_thread(_scripts, target, migrations)
        except StepError as error:
            return unjudged(error.problem).report
        try:
            async with session(target.dsn, _NAME) as db:
                return await judged(target, scripts, db)
        except StepError as error:
            found = await judged(target, scripts, None)
            return replace(found, notes=(f"Judged by the files alone: {error.problem}", *found.notes))
