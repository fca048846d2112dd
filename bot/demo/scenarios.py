"""The scenarios of ``demo --auto``: each acts through the workspace, and says how the run must end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg

from bot.demo import cast, going_back, mending, planning, watching
from bot.demo.exercise import broken_backup, game_day
from bot.demo.half_way import killed_in
from bot.demo.prisma_project import PRIORITY
from bot.demo.render_faults import render_faults
from bot.demo.scene import LONG, Scene, expect
from bot.demo.stage import RENDER
from bot.demo.targets_file import WORKFLOWS
from bot.demo.workspace.player import Player
from bot.runbook.criteria import Criterion
from bot.runbook.run import Risk, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import StepName
from bot.views.ids import Verb

GOOD = "001_add_case_priority.sql"
BROKEN = "900_broken.sql"
RISKY = "910_risky.sql"


@dataclass(frozen=True)
class Scenario:
    """What is played, and the terms of the target it needs."""

    act: Callable[[Scene], Awaitable[None]]
    standby: str = "auto"
    workflows: tuple[str, ...] = WORKFLOWS
    on: str = ""  # where the services must run; empty: anywhere
    checklist: str = "off"
    prisma: bool = False
    follow_up_speed: float = 0.0
    terms: str = ""  # more lines of the target in the targets file
    speed: float = 0.0  # what people need between two moments sets it; 0: whatever was asked for


async def happy(scene: Scene) -> None:
    """Everybody agrees, everything works."""
    await scene.start(GOOD)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES):
        await scene.approve(step)
    await _migrated(scene)


async def _migrated(scene: Scene) -> None:
    run = await scene.ends(State.COMPLETED)
    expect(await scene.has_column("cases", "priority"), "The run completed, but the migration is not in.")
    expect(not run.services_down, "The run completed with the services down.")


async def prisma(scene: Scene) -> None:
    """Prisma's migration runs as a one-off job of Render, held to what was approved; its own list proves it."""
    await scene.start(PRIORITY)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES):
        await scene.approve(step)
    asked = await scene.question(StepName.APPLY)
    expect("a one-off job of Render's service" in asked.message["text"], "The question does not say where it runs.")
    await scene.approve(StepName.APPLY)
    await scene.approve(StepName.RESTART_SERVICES)
    await _migrated(scene)
    code = [str(each["status"]) for each in scene.jobs if "migrate deploy" in str(each["startCommand"])]
    expect(code == ["succeeded"], f"Prisma was not deployed once by one job: {code}")


async def declined(scene: Scene) -> None:
    """An approver says no; nothing is touched."""
    await scene.start(GOOD)
    await scene.question(StepName.BACKUP, by=scene.priya)
    await scene.fill(scene.priya, Verb.REJECT, "The court's filing deadline is today")
    run = await scene.ends(State.CANCELLED)
    expect(not run.backed_up, "A backup was made although it was declined.")
    expect(not await scene.has_column("cases", "priority"), "The migration is in although it was declined.")
    expect(not any(scene.stage.world.backups.iterdir()), "Something was written although it was declined.")


async def failing_sql(scene: Scene) -> None:
    """The migration fails; nothing changed; the services come back."""
    await scene.start(BROKEN)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY):
        await scene.approve(step)
    await scene.question(StepName.ANNOUNCE_ROLLBACK)
    run = await scene.run()
    expect(run.breach is Criterion.SQL_ERROR, "Something else than the SQL opened the way back.")
    expect(run.services_down, "The services were not down when the migration failed.")
    expect(run.database_state.value == "untouched", "A failed transaction was not shown to have changed nothing.")
    expect(run.question is not None and run.question.rung is Rung.NOTHING, "There was something to undo.")
    await scene.approve(StepName.ANNOUNCE_ROLLBACK)
    run = await scene.ends(State.ROLLED_BACK)
    expect(not run.services_down, "The services did not come back.")
    expect(not any("_failed_" in name for name in await scene.databases()), "A database was switched for no reason.")


async def outsider(scene: Scene) -> None:
    """Somebody without authority and a guest press the button, and so does whoever started it; then the right ones."""
    await scene.start(GOOD)
    for person in (scene.people[cast.OUTSIDER], scene.people[cast.GUEST], scene.dana):
        await _refused(scene, person)
    expect((await scene.run()).question is not None, "A refused click closed the question.")
    expect(not (await scene.run()).backed_up, "A refused click began the step.")
    for step in (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES):
        await scene.approve(step)
    await _migrated(scene)


async def _refused(scene: Scene, person: Player) -> None:
    before = len(person.ephemerals)
    await person.click(await scene.question(StepName.BACKUP, by=person))
    said = await person.wait_message(lambda found: bool(found.get("is_ephemeral")) and "⛔" in found["text"])
    expect(len(person.ephemerals) > before, f"Nothing was said to {person.user_id}.")
    print(f"   (only {person.user_id} sees) {said['text']}")


async def changed_sql(scene: Scene) -> None:
    """The file is edited between asking and clicking: the approval is void, the difference is shown, asked anew."""
    await scene.start(GOOD)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES):
        await scene.approve(step)
    await scene.question(StepName.APPLY)
    file = scene.stage.world.migrations / GOOD
    file.write_text(file.read_text() + "\nCOMMENT ON TABLE cases IS 'edited while the question was open';\n")
    first = (await scene.run()).question
    await scene.approve(StepName.APPLY)
    run = await scene.reaches("the new question", lambda found: found.question is not None and found.question != first)
    again = run.question
    expect(again is not None and first is not None and again.digest != first.digest, "The digest is the same.")
    expect(again is not None and not again.approvals, "The old approvals were carried over.")
    expect(again is not None and any("edited while" in line for line in again.diff), "The difference is not shown.")
    await scene.approve(StepName.APPLY)
    await scene.approve(StepName.RESTART_SERVICES)
    await _migrated(scene)


async def killed(scene: Scene) -> None:
    """Worker, web and clock are killed during the backup, during an approval wait and while applying."""
    await scene.start(GOOD)
    await killed_in(scene, StepName.BACKUP)
    await scene.question(StepName.STOP_SERVICES)
    await _kill_and_start(scene)
    await scene.approve(StepName.STOP_SERVICES)
    await killed_in(scene, StepName.APPLY)
    await scene.approve(StepName.RESTART_SERVICES)
    await _migrated(scene)


async def blocked(scene: Scene) -> None:
    """A forgotten report holds a lock: it is named in the channel, and cancelled after approval."""
    await scene.start(GOOD)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES):
        await scene.approve(step)
    await scene.question(StepName.APPLY)
    report = asyncio.create_task(_forgotten_report(scene))
    await scene.reaches_lock("nightly-report")
    await scene.approve(StepName.APPLY)
    for person in (scene.alex, scene.priya):
        button = await person.wait_button(Verb.CANCEL_BLOCKER.id, timeout=LONG)
        expect("nightly-report" in button.message["text"], "The blocker is not named.")
        await person.click(button)
    await scene.approve(StepName.RESTART_SERVICES)
    await _migrated(scene)
    expect(await report, "The report was never cancelled.")


async def _forgotten_report(scene: Scene) -> bool:
    """Reads one table for an hour; true if it was cut short."""
    target = scene.stage.target
    async with await psycopg.AsyncConnection.connect(target.dsn, application_name="nightly-report") as conn:
        try:
            await conn.execute("select count(*), pg_sleep(3600) from cases")
        except psycopg.errors.QueryCanceled:
            return True
        except psycopg.OperationalError:  # terminated
            return True
    return False


async def _kill_and_start(scene: Scene) -> None:
    print("   (kill -9 web worker clock)", flush=True)
    await scene.stage.troupe.kill()
    await scene.stage.troupe.start()
    await scene.stage.troupe.connected(scene.stage.workspace)


async def risky(scene: Scene) -> None:
    """Seven dangerous statements, one of them hidden: all are named, it takes one approver more, and it is declined."""
    await scene.start(RISKY)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES):
        await scene.approve(step)
    asked = await scene.question(StepName.APPLY)
    before = await scene.contents()  # from here on the services are down: nobody else writes
    missing = [words for words in DANGERS if words not in asked.message["text"]]
    expect(not missing, f"The question does not name: {missing}")
    expect("0 of 3 so far" in asked.message["text"], "It does not take one approval more.")
    card = await scene.dana.wait_message(
        lambda found: "7 dangerous statements" in found["text"] and "Elapsed" in found["text"]
    )
    missing = [words for words in DANGERS if words not in card["text"]]
    expect(not missing and "Risk" in str(card["blocks"]), f"The card does not name: {missing}")
    run = await scene.run()
    expect(run.risk is Risk.HIGH and run.plan.risk is Risk.MEDIUM, "The bot's own level does not count.")
    await scene.approve_typed(StepName.APPLY, run.plan.database)
    run = await scene.run()
    expect(run.question is not None and len(run.question.approvals) == 2, "The quorum was enough for it.")
    await scene.fill(scene.priya, Verb.REJECT, "It throws away time entries that are not billed yet")
    await scene.reaches("what now", lambda found: found.state is State.STUCK)
    expect(before == await scene.contents(), "Something in the database has changed.")
    await scene.fill(scene.dana, Verb.ABORT, "It goes back to its author")
    await scene.approve(StepName.RESTART_SERVICES)
    run = await scene.ends(State.RETURNED)
    expect(not run.services_down, "The services did not come back.")


#: What the question and the card must say of sample migration 910, statement by statement.
DANGERS = (
    "drops the column media_type",
    "drops the table case_notes",
    "deletes all rows of time_entries",
    "empties audit_log",
    "changes uploaded_at from timestamp with time zone to date",
    "changes all rows of users",
    "adds the column reference uuid",
)


SCENARIOS: dict[str, Scenario] = {
    "happy": Scenario(happy),
    "declined": Scenario(declined),
    "failing-sql": Scenario(failing_sql),
    "outsider": Scenario(outsider),
    "changed-sql": Scenario(changed_sql),
    "killed": Scenario(killed),
    "risky": Scenario(risky),
    "blocked": Scenario(blocked),
    "bad-health": Scenario(going_back.bad_health, workflows=("search",), speed=60.0),  # the logs, too, take real time
    "down": Scenario(going_back.down),
    "rollback-restore": Scenario(going_back.rollback_restore, standby="none"),
    "rollback-killed": Scenario(going_back.rollback_killed),
    "lost-writes": Scenario(going_back.lost_writes, standby="none"),
    "game-day": Scenario(game_day),
    "game-day-backup": Scenario(broken_backup),
    "render-faults": Scenario(render_faults, on=RENDER),
    "watch": Scenario(watching.watch, speed=90.0, follow_up_speed=17280.0),  # two days in ten seconds
    "prisma": Scenario(prisma, on=RENDER, prisma=True),
    "mended": Scenario(mending.mended, terms=mending.TERMS),
    "planned": Scenario(planning.planned, checklist="required", speed=120.0),
    "unprepared": Scenario(planning.unprepared, checklist="required", speed=120.0),
}
