"""The risk of the planned files on the database as it is, in the values that a plan keeps."""

from bot.runbook.risk import RiskReport
from bot.target import Target
from integrations.postgres.risk.check import PostgresRiskCheck


async def judge(target: Target, migrations: tuple[str, ...]) -> RiskReport:
    """The whole migration; without the database it is judged by its files alone, and says so."""
    return await PostgresRiskCheck().judge(target, migrations)
