"""Help, status, logs, history: looking changes nothing."""

from collections.abc import Mapping

from bot import store
from bot.views import home
from bot.views.ids import Verb
from commands.desk import Desk, Reply
from commands.parse import Request

#: What /migrate help says, verb by verb; buttons without a command are not listed.
HELP: Mapping[str, str] = {
    Verb.START: "plan and start a migration",
    Verb.STATUS: "where the run stands, what comes next, who is needed",
    Verb.APPROVE: "approve the open question: /migrate approve DIGEST",
    Verb.REJECT: "say no to it: /migrate reject REASON",
    Verb.HOLD: "stop before the next step: /migrate hold REASON (anyone may)",
    Verb.RESUME: "let a held run go on",
    Verb.RETRY: "try a failed step again",
    Verb.ABORT: "end the run without the migration: /migrate abort REASON",
    Verb.ROLLBACK: "go back to the state before: /migrate rollback REASON",
    Verb.TAKEOVER: "take the run into your own hands: /migrate takeover NOTE",
    Verb.CLOSE: "say how a run in your hands ended: /migrate close NOTE",
    Verb.LOGS: "what the tools printed, newest last",
    Verb.HISTORY: "the latest runs and how they ended",
    Verb.HELP: "this list",
}


async def help_(_desk: Desk, _request: Request) -> Reply:
    """Every verb with a line."""
    return Reply(payload=home.help_text(HELP))


async def status(desk: Desk, request: Request) -> Reply:
    """The run as it is now."""
    run, head = await desk.engine.load_with_head((await desk.run(request, latest=True)).id)
    return Reply(payload=home.status_view(run, desk.engine.now(), head=head))


async def logs(desk: Desk, request: Request) -> Reply:
    """The newest lines of the run's child processes."""
    run = await desk.run(request, latest=True)
    async with desk.engine.connection() as conn:
        rows = await store.rows(conn, "log_lines", run_id=run.id, limit=60)
    return Reply(payload=home.logs(run, [f"[{step}] {line}" for step, _, line in rows]))


async def history(desk: Desk, _request: Request) -> Reply:
    """The latest runs."""
    return Reply(payload=home.history(await desk.engine.recent(), desk.engine.now()))
