"""The report of a run: put into its thread, or printed at the command line."""

from bot.views.letters import card_key, report_letters
from bot.views.report import FORMATS, report, report_files
from bot.views.text import escape
from commands.desk import Desk, Reply, words_after_run
from commands.parse import Request


async def report_(desk: Desk, request: Request) -> Reply:
    """``/migrate report [RUN] [md|html|json]``; without a form, what is read there and what is printed."""
    run, head, record = await desk.engine.read((await desk.run(request, latest=True)).id)
    now, wanted = desk.engine.now(), _form(words_after_run(request))
    if request.via != "slack":
        return Reply(text=escape(report(run, record, now, head, form=wanted or "md").text))
    mark = f"{int(now)}"  # asked for again later it is another file: more may have happened
    files = report_files(run, record, now, head, mark=mark)
    if wanted:
        files = (report(run, record, now, head, form=wanted, mark=mark),)
    await desk.engine.tell(run.id, report_letters(run, files, card_key(run), f"report:{mark}"))
    return Reply(text=f"ℹ️ The report of {run.id} is put into the thread of its card.", channel=run.plan.channel)


def _form(words: str) -> str:
    """The first word that names a form."""
    return next((each for each in words.lower().split() if each in FORMATS), "")
