"""Help, status, logs, history: looking changes nothing."""

from collections.abc import Mapping

from bot import store
from bot.runbook.past import figures, wanted
from bot.views import home
from bot.views.ids import Verb
from commands.desk import Desk, Reply
from commands.parse import Request

#: What /migrate help says, verb by verb; buttons without a command are not listed.
HELP: Mapping[str, str] = {
    Verb.PLAN: "plan a migration; plan list, plan edit, plan postpone, plan cancel",
    Verb.CHECKLIST: "the 28 items before the start, and what shows each: /migrate checklist [PLAN]",
    Verb.TICK: "say that items are true: /migrate tick [PLAN] ITEM,ITEM EVIDENCE",
    Verb.UNTICK: "take a tick back: /migrate untick [PLAN] ITEM REASON",
    Verb.WAIVE: "set an item aside, with a second person: /migrate waive [PLAN] ITEM REASON",
    Verb.AGREE: "be that second person: /migrate agree [PLAN] ITEM",
    Verb.REVIEW: "read the SQL and review it",
    Verb.DRILL: "rehearse on a copy and measure; drill --faults [PLAN] exercises the whole runbook, with faults",
    Verb.GO: "say Go, from T-30m on",
    Verb.NO_GO: "say No-go: /migrate no-go REASON",
    Verb.EDIT: "change a plan: /migrate edit [PLAN]",
    Verb.POSTPONE: "give a plan another window: /migrate postpone [PLAN]",
    Verb.CANCEL: "give a plan up: /migrate cancel [PLAN] REASON",
    Verb.START: "start the plan that is ready, or say exactly what it lacks",
    Verb.STATUS: "where the run stands, what comes next, who is needed",
    Verb.APPROVE: "approve the open question: /migrate approve DIGEST",
    Verb.REJECT: "say no to it: /migrate reject REASON",
    Verb.HOLD: "stop before the next step: /migrate hold REASON (anyone may)",
    Verb.RESUME: "let a held run go on",
    Verb.RETRY: "try a failed step again",
    Verb.FIX: "try it in another way that was offered: /migrate fix FIX",
    Verb.ABORT: "end the run without the migration: /migrate abort REASON",
    Verb.ROLLBACK: "go back to the state before: /migrate rollback REASON",
    Verb.EXTEND: "give the run more time: /migrate extend MINUTES REASON",
    Verb.RUNG: "go back another way than the question asks for: /migrate rung RUNG",
    Verb.HANDOVER: "hand the run over to somebody: /migrate handover @NAME",
    Verb.ACCEPT: "take a run that is handed to you",
    Verb.TAKEOVER: "take the run into your own hands: /migrate takeover NOTE",
    Verb.CLOSE: "say how a run in your hands ended: /migrate close NOTE",
    Verb.CLEANUP: "remove the databases that an ended run has kept: /migrate cleanup RUN",
    Verb.ANALYZE: "gather the statistics that a migration has cost",
    Verb.WORKS: "say that something you were asked to try works: /migrate works CHECK",
    Verb.BROKEN: "say that it does not: /migrate broken CHECK: WHAT YOU SAW",
    Verb.LOGS: "what the tools printed, newest last",
    Verb.HISTORY: "the latest runs, how they ended, and figures: /migrate history [TARGET] [STATE] [30d]",
    Verb.DOCTOR: "look at every system that is configured, and say how to mend what is not well",
    Verb.TROUBLESHOOT: "what an error means and what to do: /migrate troubleshoot [ERROR]",
    Verb.REPORT: "the whole report of a run, into its thread: /migrate report [RUN] [md|html|json]",
    Verb.NO_SPIKE: "48 hours later: no spike in support tickets: /migrate no-spike [RUN]",
    Verb.SPIKE: "there was one: /migrate spike [RUN] NOTE",
    Verb.ANOMALIES: "what was found, and what becomes of it: /migrate anomalies [RUN] NOTE",
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


async def history(desk: Desk, request: Request) -> Reply:
    """``/migrate history [TARGET] [STATE] [SINCE]``: the latest runs, and what they say together."""
    now = desk.engine.now()
    found = await desk.engine.past(wanted(request.words, desk.targets, now))
    return Reply(payload=home.history(found, now, figures(found, now)))
