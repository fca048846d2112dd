"""The project's own validation command (runbook: ``npm run db:validate``), run against the target."""

from pathlib import Path

from bot.ports import Context
from integrations.postgres.checks import Finding, Findings
from integrations.postgres.connect import connection_env, secrets_of
from integrations.postgres.settings import Limits
from integrations.process import Redactor, base_env, run_child
from integrations.spoken import ending, spoken


async def own_command(context: Context, limits: Limits) -> Findings:
    """Its end as a finding; none where the target has no such command."""
    command = context.target.verify_command
    if not command:
        return ()
    env, _ = connection_env(context.target.dsn)
    shown = " ".join(command)
    async with spoken(context, shown) as say:
        ended = await run_child(
            command,
            env=base_env() | env | {"DATABASE_URL": context.target.dsn, "PGAPPNAME": context.application_name},
            cwd=Path.cwd(), on_line=say, time_limit=limits.verify_time,
            redactor=Redactor(secrets_of(context.target.dsn)),
        )  # fmt: skip
        say(f"{command[0]} {ending(ended)}")
    said = " ".join(ended.tail[-3:])
    how = "took too long" if ended.timed_out else f"ended with {ended.code}"
    return (Finding(text=f"`{shown}` {how} after {ended.seconds:.1f} s: {said}", violation=not ended.ok),)
