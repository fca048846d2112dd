"""What a scenario works with: the people at their keyboards, and a look at the record."""

import asyncio
import html
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bot import store
from bot.demo import cast
from bot.demo.stage import TARGET, Stage
from bot.demo.workspace.player import Button, Player
from bot.engine import Engine
from bot.planner import Planner
from bot.runbook.follow_up.follow_up import FollowUp
from bot.runbook.run import Run, State
from bot.runbook.steps import StepName
from bot.views.ids import Field, Verb, choice, decode_value
from bot.wiring import assembled

REDRAWN = "action_not_found"  # the message was redrawn between looking and pressing: people press again
LONG = 240.0  # seconds a scenario waits for one thing before it gives up
_TITLES = {
    StepName.BACKUP: "Create pre-migration backup",
    StepName.STOP_SERVICES: "Stop services",
    StepName.APPLY: "Apply database migration",
    StepName.RESTART_SERVICES: "Restart services",
    StepName.ANNOUNCE_ROLLBACK: "Roll back the migration",
}


_COLUMNS = (
    "select table_schema, table_name, column_name from information_schema.columns where table_schema = 'public'"
    " order by 1, 2, ordinal_position"
)


class ScenarioFailed(Exception):
    """The run did not go as the scenario says; the text says how it went instead."""


@dataclass
class Scene:
    """The stage with its cast, and the engine to read the record by."""

    stage: Stage
    engine: Engine
    planner: Planner
    people: Mapping[str, Player]
    answered: int = 0
    run_id: str = field(default="")

    @property
    def dana(self) -> Player:
        return self.people[cast.STARTER]

    @property
    def alex(self) -> Player:
        return self.people[cast.FIRST_APPROVER]

    @property
    def priya(self) -> Player:
        return self.people[cast.SECOND_APPROVER]

    async def start(self, *files: str) -> None:
        """Dana types ``/migrate start`` and fills in the modal."""
        await acked(self.dana.command("/migrate start"))
        view = await self.dana.wait_view()
        filled = {
            Field.NAME.value: "Case priority",
            Field.PURPOSE.value: "Cases get a priority, so that urgent ones are seen first",
            Field.FILES.value: [choice(file) for file in files],
            Field.MINUTES.value: "15",
        }
        await acked(self.dana.submit(view, filled))
        await until(self._find_run, "the run")

    async def _find_run(self) -> bool:
        newest = await self.engine.recent(1)
        self.run_id = newest[0].id if newest else ""
        return bool(newest) and not newest[0].final

    async def question(self, step: StepName, verb: Verb = Verb.APPROVE, *, by: Player | None = None) -> Button:
        """The button that answers the newest question about ``step``, as it stands in the channel now."""

        def asks(button: Button) -> bool:
            number = decode_value(button.value or "").number
            return _TITLES[step] in button.message["text"] and number > self.answered

        return await (by or self.alex).wait_button(verb.id, pred=asks, timeout=LONG)

    async def approve(self, step: StepName, *by: Player) -> None:
        """Each of ``by`` presses Approve on the same question."""
        for person in by or (self.alex, self.priya):
            button = await self._press(step, person)
        self.answered = decode_value(button.value or "").number

    async def approve_typed(self, step: StepName, word: str, *by: Player) -> None:
        """Each of ``by`` presses Approve on the same question and types the word its modal asks for."""
        for person in by or (self.alex, self.priya):
            button = await self._press(step, person)
            view = await person.wait_view(pred=lambda found: found["callback_id"] == Verb.APPROVE.id)
            await acked(person.submit(view, {Field.WORD.value: word}))
        self.answered = decode_value(button.value or "").number

    async def _press(self, step: StepName, person: Player) -> Button:
        button = await self.question(step, by=person)
        while (done := await person.click(button)).error == REDRAWN:
            button = await self.question(step, by=person)
        expect(done.ok, f"The bot did not answer: {done.error}")
        return button

    async def fill(
        self, person: Player, verb: Verb, reason: str, *, pred: Callable[[Button], bool] | None = None
    ) -> None:
        """Press the button of ``verb`` and give the reason its modal asks for."""
        while (done := await person.click(await person.wait_button(verb.id, pred=pred, timeout=LONG))).error == REDRAWN:
            continue
        expect(done.ok, f"The bot did not answer: {done.error}")
        view = await person.wait_view(pred=lambda found: found["callback_id"] == verb.id)
        await acked(person.submit(view, {Field.REASON.value: reason}))

    async def told(self, person: Player, command: str) -> None:
        """Type a command that needs nothing more."""
        await acked(person.command(command))

    async def write(self, *statements: str) -> None:
        """Change rows of the target, as people's work does, in one transaction."""
        async with await psycopg.AsyncConnection.connect(self.stage.target.dsn) as conn:
            for each in statements:
                await conn.execute(each.encode())

    async def followed(self) -> FollowUp:
        """What follows the run, as its own ledger has it."""
        async with self.engine.connection() as conn:
            found = await store.follow_up(conn, store.follow_up_id(self.run_id))
        if found is None:
            raise ScenarioFailed("Nothing follows the run.")
        return found

    @property
    def jobs(self) -> list[Mapping[str, object]]:
        """What Render was asked to run."""
        return list(self.stage.render.fake.estate.jobs.values()) if self.stage.render else []

    async def run(self) -> Run:
        """The run as the ledger has it now."""
        return await self.engine.load(self.run_id)

    async def reaches(self, what: str, wanted: Callable[[Run], bool]) -> Run:
        """Wait until the run is as ``wanted``."""

        async def there() -> bool:
            return wanted(await self.run())

        await until(there, what)
        return await self.run()

    async def ends(self, state: State) -> Run:
        """Wait for the end; raises ``ScenarioFailed`` for another one than ``state``, or a question nobody foresaw."""
        run = await self.reaches(f"the end ({state})", lambda found: found.final or found.state is State.STUCK)
        if run.state is not state:
            trouble = f": {run.trouble.problem} {run.trouble.advice}" if run.trouble else ""
            raise ScenarioFailed(f"The run is {run.state}{trouble}, not {state}.")
        return run

    async def reaches_lock(self, application: str) -> None:
        """Wait until a session of that name holds a lock in the target."""
        query = (
            "select 1 from pg_locks join pg_stat_activity using (pid) "
            "where application_name = %s and locktype = 'relation' and granted"
        )

        async def held() -> bool:
            async with await psycopg.AsyncConnection.connect(self.stage.target.dsn) as conn:
                return await (await conn.execute(query, (application,))).fetchone() is not None

        await until(held, f"the lock of {application}")

    async def has_column(self, table: str, column: str) -> bool:
        """Is the migration in, asked of the database itself?"""
        query = "select 1 from information_schema.columns where table_name = %s and column_name = %s"
        async with await psycopg.AsyncConnection.connect(self.stage.target.dsn) as conn:
            return await (await conn.execute(query, (table, column))).fetchone() is not None

    async def contents(self) -> Mapping[str, int]:
        """Every column of every table with the number of its values, counted now."""
        counts: dict[str, int] = {}
        async with await psycopg.AsyncConnection.connect(self.stage.target.dsn) as conn:
            found = await (await conn.execute(_COLUMNS)).fetchall()
            for schema, table, column in found:
                count = sql.SQL("select count({}) from {}").format(
                    sql.Identifier(column), sql.Identifier(schema, table)
                )
                [[number]] = await (await conn.execute(count)).fetchall()
                counts[f"{schema}.{table}.{column}"] = int(number)
        return counts

    async def databases(self) -> tuple[str, ...]:
        """Every database of the target's server, by its own word."""
        async with await psycopg.AsyncConnection.connect(self.stage.target.dsn) as conn:
            return tuple(
                str(name) for (name,) in await (await conn.execute("select datname from pg_database")).fetchall()
            )


def expect(true: bool, otherwise: str) -> None:
    """The scenario's claims about the world."""
    if not true:
        raise ScenarioFailed(otherwise)


async def until(true: Callable[[], Any], what: str, *, seconds: float = LONG) -> None:
    """Look every 20 ms until it is so; raises ``ScenarioFailed`` when it never is."""
    try:
        async with asyncio.timeout(seconds):
            while not await true():  # noqa: ASYNC110 - the condition is in another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise ScenarioFailed(f"Waited {seconds:.0f} s for {what}.") from None


async def acked(action: Any) -> None:
    done = await action
    expect(done.ok, f"The bot did not answer: {done.error}")


@asynccontextmanager
async def opened(stage: Stage) -> AsyncIterator[Scene]:
    """Everybody at their keyboards."""
    quiet = stage.settings.model_copy(update={"slack": None})
    async with AsyncExitStack() as stack:
        bot = await stack.enter_async_context(assembled(quiet))
        people = {
            person.id: await stack.enter_async_context(Player(stage.workspace.url, person.id)) for person in cast.PEOPLE
        }
        watching = asyncio.create_task(_transcript(people[cast.ON_CALL]))
        try:
            yield Scene(stage=stage, engine=bot.engine, planner=bot.planner, people=people)
        finally:
            await asyncio.sleep(0.5)  # the last redraws, for the eye only
            watching.cancel()


async def _transcript(player: Player) -> None:
    """Print the channel as it happens."""
    seen: set[str] = set()
    while True:
        newest = await player.wait_message(lambda message: message["ts"] not in seen, timeout=3600)
        for message in player.messages():
            if message["ts"] not in seen:
                seen.add(message["ts"])
                _print(message)
        seen.add(newest["ts"])  # what only they see, or elsewhere, is not printed, and must not be waited for again


def _print(message: Mapping[str, Any]) -> None:
    lines: Sequence[str] = html.unescape(str(message.get("text", ""))).splitlines() or [""]
    mark = "   ↳ " if message.get("thread_ts") else "■ "
    print("\n".join([mark + lines[0], *("     " + line for line in lines[1:])]), flush=True)


def save(text: str, path: str) -> None:
    """Write the ledger where it was asked for."""
    Path(path).write_text(text, "utf-8")
    print(f"The ledger is in {path}.", file=sys.stderr)


__all__ = ["TARGET", "ScenarioFailed", "Scene", "expect", "opened", "save", "until"]
