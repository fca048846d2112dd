"""The command line: the processes, the ledger, and everything Slack can do when Slack is down."""

import argparse
import asyncio
import contextlib
import os
import pwd
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

import psycopg
from psycopg_pool import PoolTimeout

from bot import ledger, logs, tracing, wiring
from bot.by_hand import migrate
from bot.doctor.shown import as_json, lines
from bot.ports import StepError
from bot.release import release
from bot.runbook.refusals import Refusal
from bot.settings import ConfigurationError, Settings, read_settings, read_targets, targets_of
from bot.settings.schema import schema_text
from bot.views.drill import drill_lines
from bot.views.report import report
from bot.views.text import plain
from bot.wiring import Bot
from commands.parse import UnknownVerb

_Process = Callable[[Bot], Awaitable[None]]


async def _run(bot: Bot) -> None:
    """All three processes in one."""
    async with asyncio.TaskGroup() as group:
        for process in (bot.web, bot.worker, bot.clock):
            group.create_task(process())


_PROCESSES: dict[str, tuple[_Process, str]] = {
    "web": (lambda bot: bot.web(), "take requests from Slack"),
    "worker": (lambda bot: bot.worker(), "run the steps"),
    "clock": (lambda bot: bot.clock(), "arm what is due"),
    "run": (_run, "web, worker and clock in one process, on a store made ready"),
}


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 1 refused or failed, 2 wrongly called."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_interruptible(options))
    except (ConfigurationError, Refusal, UnknownVerb, ledger.LedgerError) as error:
        print(plain(str(error)), file=sys.stderr)
        return 1
    except psycopg.errors.UndefinedTable:
        print("The store is not ready. Run: python -m bot release", file=sys.stderr)
        return 1
    except (psycopg.OperationalError, PoolTimeout) as error:
        print(f"The store does not answer: {error}. Check DATABASE_URL, and that its server runs.", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


async def _interruptible(options: argparse.Namespace) -> int:
    """SIGTERM ends a process as Ctrl-C does: steps end at a safe point or are taken up by a peer."""
    task = asyncio.current_task()
    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on loops
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel if task else _nothing)
    result: int = await options.does(options)
    return result


def _nothing() -> None:
    """No task, nothing to end."""


async def _process(options: argparse.Namespace) -> int:
    settings = read_settings()
    logs.set_up(level=settings.log_level)
    if options.command == "run":
        await release(settings.database_url.get_secret_value())
    _traced(options.command)
    try:
        async with wiring.assembled(settings) as bot, bot.observed(options.command):
            await _PROCESSES[options.command][0](bot)
    finally:
        tracing.close()
    return 0


def _traced(process: str) -> None:
    """Send spans, where a collector is named."""
    if not tracing.wanted():
        return
    try:
        from bot.spans import OtlpSpans  # noqa: PLC0415 - its packages are optional
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{tracing.VARIABLES[0]} is set, but {error.name} is not installed. Type"
            " pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http, or remove the variable."
        ) from error
    tracing.begin(OtlpSpans(process))


async def _release(_options: argparse.Namespace) -> int:
    await release(read_settings().database_url.get_secret_value())
    print("The store is up to date.")
    return 0


async def _ledger(options: argparse.Namespace) -> int:
    settings = _without_slack(read_settings())
    async with wiring.assembled(settings) as bot:
        print(await ledger.COMMANDS[options.what](bot.engine, options.run))
    return 0


async def _report(options: argparse.Namespace) -> int:
    settings = _without_slack(read_settings())
    logs.set_up(level="warning")
    async with wiring.assembled(settings) as bot:
        run, head, record = await bot.engine.read(options.run)
        print(report(run, record, bot.engine.now(), head, form=options.form).text, end="")
    return 0


async def _migrate(options: argparse.Namespace) -> int:
    settings = _without_slack(read_settings())
    logs.set_up(level="warning")
    async with wiring.assembled(settings) as bot:
        print(await migrate(bot, options.person or _operator(bot), os_user(), options.words, options.field))
    return 0


async def _gameday(options: argparse.Namespace) -> int:
    """The same as ``/migrate drill --faults TARGET FILE…``; the bot's workers play it, people answer as always."""
    options.words = ["drill", "--faults", options.target, *options.files]
    return await _migrate(options)


async def _drill(options: argparse.Namespace) -> int:
    """It needs the target alone: neither the store nor Slack has a part in it."""
    file = read_settings().targets_file
    targets = targets_of(read_targets(file), base=file.absolute().parent)
    target = targets.get(options.target)
    if target is None:
        raise ConfigurationError(f"There is no target {options.target}. There are: {', '.join(sorted(targets))}.")
    drill = wiring.drill(targets.values())
    try:
        report = await drill.rehearse(
            target, tuple(options.files), tuple(options.down), name=f"by-hand-{os.getpid()}", progress=_printed
        )
    except StepError as error:
        print(f"There can be no rehearsal: {error.problem} {error.advice}", file=sys.stderr)
        return 1
    print("\n".join(drill_lines(report)))
    return 0 if report.ok else 1


async def _doctor(options: argparse.Namespace) -> int:
    """Whatever is wrong with the settings is a finding, too."""
    logs.set_up(level="error")
    report = await wiring.doctor()
    print(as_json(report) if options.json else "\n".join(lines(report)))
    return 0 if report.well else 1


async def _schema(_options: argparse.Namespace) -> int:
    print(schema_text(), end="")
    return 0


async def _printed(text: str, _fraction: float | None) -> None:
    """Progress goes beside the result."""
    print(text, file=sys.stderr)


def _without_slack(settings: Settings) -> Settings:
    """The command line works when Slack is down, so it never asks Slack who somebody is."""
    return settings.model_copy(update={"slack": None})


def os_user() -> str:
    """Who is really logged in: the environment can say anything."""
    return pwd.getpwuid(os.getuid()).pw_name


def _operator(bot: Bot) -> str:
    name = os_user()
    known = bot.file.operators.get(name)
    if known is None:
        raise ConfigurationError(
            f"{name} is not an operator of this host. Add [operators.{name}] with id and name to the targets file."
        )
    return known.id


async def _demo(options: argparse.Namespace) -> int:
    from bot.demo import play  # noqa: PLC0415 - the demo's packages are not needed, nor loaded, in production

    return await play.main(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Drives a production migration by the runbook.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in _PROCESSES.items():
        commands.add_parser(name, help=text).set_defaults(does=_process)
    commands.add_parser("release", help="bring the store's schema up to date").set_defaults(does=_release)
    record = commands.add_parser("ledger", help="verify, show or export the record of a run")
    record.add_argument("what", choices=sorted(ledger.COMMANDS))
    record.add_argument("run")
    record.set_defaults(does=_ledger)
    doctor = commands.add_parser("doctor", help="look at every system that is configured, and say how to mend it")
    doctor.add_argument("--json", action="store_true", help="for a program")
    doctor.set_defaults(does=_doctor)
    schema = commands.add_parser("schema", help="the JSON Schema of the targets file, for editors")
    schema.set_defaults(does=_schema)
    _add_report(commands)
    _add_drill(commands)
    _add_gameday(commands)
    _add_migrate(commands)
    _add_demo(commands)
    return parser


def _add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("report", help="the whole report of a run, as Markdown, as a page or as JSON")
    parser.add_argument("run")
    forms = parser.add_mutually_exclusive_group()
    for form, text in (("html", "one page that needs nothing else"), ("json", "for programs")):
        forms.add_argument(f"--{form}", dest="form", action="store_const", const=form, default="md", help=text)
    parser.set_defaults(does=_report)


def _add_drill(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("drill", help="rehearse migration files on a throw-away copy of a target's database")
    parser.add_argument("target")
    parser.add_argument("files", nargs="+", metavar="FILE", help="names in the target's folder, in their order")
    parser.add_argument("--down", action="append", default=[], metavar="FILE", help="a DOWN script, in their order")
    parser.set_defaults(does=_drill)


def _add_gameday(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("gameday", help="exercise the whole runbook on a throw-away copy, with faults")
    parser.add_argument("target")
    parser.add_argument("files", nargs="+", metavar="FILE|FAULT|speed=N")
    parser.add_argument("--as", dest="person", default="", help="the operator's id, instead of who is logged in")
    parser.set_defaults(does=_gameday, field=[])


def _add_migrate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("migrate", help="everything /migrate can do, under the same rules and ledger")
    parser.add_argument("words", nargs="+", metavar="VERB [RUN] [WORDS]")
    parser.add_argument("--as", dest="person", default="", help="the operator's id, instead of who is logged in")
    parser.add_argument("--field", action="append", default=[], metavar="NAME=VALUE", help="for start: the plan")
    parser.set_defaults(does=_migrate)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("demo", help="a workspace, a database and services on this machine")
    parser.add_argument("--auto", action="store_true", help="let a cast play a scenario")
    parser.add_argument(
        "--scenario",
        default="happy",
        help="happy, declined, killed, rollback-killed, …; an unknown one prints them all",
    )
    parser.add_argument("--platform", choices=("local", "render"), default="local", help="where the services run")
    parser.add_argument("--prisma", action="store_true", help="Prisma instead of SQL files; on Render by itself")
    parser.add_argument("--speed", type=float, default=0.0, help="how many times faster waits pass (never work)")
    parser.add_argument("--json", default="", metavar="FILE", help="write the ledger there")
    parser.add_argument("--folder", default="", help="where the demo lives (default .demo)")
    parser.add_argument("--fresh", action="store_true", help="forget the demo's data first")
    parser.add_argument("--port", type=int, default=0, help="the workspace's port")
    parser.set_defaults(does=_demo)
