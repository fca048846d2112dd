"""The scenarios of ``demo --auto``: each acts through the workspace, and says how the run must end."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg

from bot.demo import cast
from bot.demo.scene import LONG, Scene, expect
from bot.demo.workspace.player import Player
from bot.runbook.run import State
from bot.runbook.steps import StepName
from bot.views.ids import Verb
from integrations.local.platform import LocalPlatform

GOOD = "001_add_case_priority.sql"
BROKEN = "900_broken.sql"
Scenario = Callable[[Scene], Awaitable[None]]


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
    run = await scene.reaches("the failure", lambda found: found.state is State.STUCK)
    expect(run.trouble is not None and run.trouble.step is StepName.APPLY, "Something else than the migration failed.")
    expect(run.services_down, "The services were not down when the migration failed.")
    expect(run.database_state.value == "untouched", "A failed transaction was not shown to have changed nothing.")
    await scene.fill(scene.dana, Verb.ABORT, "The migration needs to be mended first")
    await scene.approve(StepName.RESTART_SERVICES)
    run = await scene.ends(State.RETURNED)
    expect(not run.services_down, "The services did not come back.")


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


async def rolled_back(scene: Scene) -> None:
    """The migration is in and everything runs, then it proves wrong: back to the state before, within one approval."""
    await scene.start(GOOD)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES):
        await scene.approve(step)
    await scene.reaches("the watch", lambda run: run.state is State.WATCHING)
    expect(await scene.has_column("cases", "priority"), "The migration is not in.")
    await scene.fill(scene.dana, Verb.ROLLBACK, "Lawyers see their cases in the wrong order")
    await scene.approve_typed(StepName.ANNOUNCE_ROLLBACK, (await scene.run()).plan.database)
    run = await scene.ends(State.ROLLED_BACK)
    expect(not await scene.has_column("cases", "priority"), "The run ended rolled back, but the migration is in.")
    expect(not run.services_down, "The run ended rolled back with the services down.")
    up = await LocalPlatform().status(scene.stage.target)
    expect(all(up.values()), f"Not all services run: {up}.")
    failed = run.fact(StepName.GO_BACK, "failed_database")
    expect(failed in await scene.databases(), f"The failed database {failed} was not kept.")


async def killed(scene: Scene) -> None:
    """Worker, web and clock are killed during the backup, during an approval wait and while applying."""
    await scene.start(GOOD)
    await scene.approve(StepName.BACKUP)
    await _killed_while_working(scene, StepName.BACKUP)
    await scene.question(StepName.STOP_SERVICES)
    await _kill_and_start(scene)
    await scene.approve(StepName.STOP_SERVICES)
    await scene.approve(StepName.APPLY)
    await _killed_while_working(scene, StepName.APPLY)
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


async def _killed_while_working(scene: Scene, step: StepName) -> None:
    await scene.reaches(f"{step} under way", lambda run: run.step.name is step and run.claim is not None)
    await asyncio.sleep(0.3)  # into the middle of its work
    run = await scene.run()
    expect(run.step.name is step and run.claim is not None, f"{step} was over before it could be killed.")
    await _kill_and_start(scene)


async def _kill_and_start(scene: Scene) -> None:
    print("   (kill -9 web worker clock)", flush=True)
    await scene.stage.troupe.kill()
    await scene.stage.troupe.start()
    await scene.stage.workspace.wait_connected()


SCENARIOS: dict[str, Scenario] = {
    "happy": happy,
    "declined": declined,
    "failing-sql": failing_sql,
    "outsider": outsider,
    "changed-sql": changed_sql,
    "killed": killed,
    "rolled-back": rolled_back,
    "blocked": blocked,
}
