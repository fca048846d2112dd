"""The scenarios of the way back: one for each rung, one that is killed half-way, one that counts what is lost."""

from bot.demo.half_way import killed_between_renames
from bot.demo.missing import missing, reopened, restored
from bot.demo.releases import NEXT_RELEASE
from bot.demo.sample_work import FIRST_RELEASE
from bot.demo.scene import Scene, expect
from bot.runbook.criteria import Criterion
from bot.runbook.run import Run, State
from bot.runbook.rungs import Rung
from bot.runbook.steps import Route, StepName
from bot.views.ids import Verb

GOOD = "001_add_case_priority.sql"
RENAMING = "003_rename_user_name.sql"
STEPS = (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES)


async def bad_health(scene: Scene) -> None:
    """The migration breaks the application: the breach opens the question, and the standby copy answers it."""
    (scene.stage.world.migrations / "003_rename_user_name.down.sql").unlink()
    await _migrated(scene, RENAMING)
    run = await _asked(scene, Rung.SWITCH)
    expect(run.breach is Criterion.ERROR_RATE, f"It was not the error rate that opened the way back: {run.reason}")
    expect("over 10% for" in run.reason, f"The reason has no figures: {run.reason}")
    told = await scene.dana.wait_message(lambda found: "Rollback criterion met" in found["text"])
    expect("Speaks for the migration as the cause" in told["text"], f"Nobody says why it was it: {told['text']}")
    expect("a column is missing (42703)" in told["text"], f"The logs' new error is not named: {told['text']}")
    run = await _approved(scene)
    await _as_before(scene, run, "users", "full_name")
    expect(float(run.fact(StepName.GO_BACK, "switch_seconds") or 9) < 1, "The switch took longer than a second.")
    salvaged = scene.stage.world.backups / f"{run.id}.salvage"
    expect((salvaged / "salvage.json").is_file(), "Nothing was saved of what was written since the copy.")
    report = await scene.dana.wait_message(
        lambda message: any(each["name"].endswith(".md") for each in message.get("files") or ())
    )
    expect(run.id in report["files"][0]["name"], "The report is not attached to the investigation.")


async def down(scene: Scene) -> None:
    """The DOWN script was rehearsed before the migration: it takes the migration out and leaves all rows there."""
    await scene.start(GOOD)
    for step in STEPS[:3]:
        await scene.approve(step)
    await scene.question(StepName.RESTART_SERVICES)
    await _wants_back(scene)
    await _asked(scene, Rung.DOWN)
    run = await _approved(scene)
    expect(not await scene.has_column("cases", "priority"), "The migration is still in.")
    expect(run.fact(StepName.GO_BACK, "rung") == Rung.DOWN, "Another way was gone than the approved one.")
    expect(not any("_failed_" in name for name in await scene.databases()), "A database was switched for no reason.")


async def rollback_restore(scene: Scene) -> None:
    """Without a standby copy the backup is restored beside; services come back on the deploy from before the run."""
    await scene.start(RENAMING)
    for step in STEPS[:3]:
        await scene.approve(step)
        if step is StepName.STOP_SERVICES:
            await scene.stage.deploy(NEXT_RELEASE)
    await scene.approve(StepName.RESTART_SERVICES)
    await scene.reaches("the watch", lambda found: found.state is State.WATCHING)
    expect(set(await _releases(scene)) == {NEXT_RELEASE}, "The new release was not deployed.")
    await _wants_back(scene)
    await _asked(scene, Rung.RESTORE)
    run = await _approved(scene)
    await _as_before(scene, run, "users", "full_name")
    expect(set(await _releases(scene)) == {FIRST_RELEASE}, "The services did not come back on the release before.")


async def rollback_killed(scene: Scene) -> None:
    """SIGKILL between the two renames, when no database has the target's name; started again, it heals."""
    await _migrated(scene, GOOD)
    await _wants_back(scene)
    run = await _asked(scene, Rung.SWITCH)
    await killed_between_renames(scene, run.fact(StepName.STANDBY, "standby_database") or "", lambda: _type_yes(scene))
    run = await scene.ends(State.ROLLED_BACK)
    await _as_before(scene, run, "cases", "status")
    expect(not await scene.has_column("cases", "priority"), "The migration is still in.")


async def lost_writes(scene: Scene) -> None:
    """Writes go on between the backup and the stop; the question says what a restore takes away, and how sure."""
    await scene.start(GOOD)
    await scene.approve(StepName.BACKUP)
    await scene.question(StepName.STOP_SERVICES)
    await scene.write(
        "INSERT INTO clients (name, kind, email) SELECT 'Late client ' || n, 'company', 'late' || n || '@example.com'"
        " FROM generate_series(1, 7) n",
        "UPDATE clients SET name = name || ' & Sons' WHERE id IN (SELECT id FROM clients ORDER BY id LIMIT 3)",
        "DELETE FROM case_notes WHERE id IN (SELECT id FROM case_notes ORDER BY id LIMIT 2)",
    )
    for step in STEPS[1:3]:
        await scene.approve(step)
    await scene.question(StepName.RESTART_SERVICES)
    await _wants_back(scene)
    run = await _asked(scene, Rung.RESTORE)
    option, lines = (run.question.option, run.question.lines) if run.question else (None, ())
    run = await _approved(scene)
    told = next((line for line in lines if line.startswith("Lost: ")), "")
    pg, failed = scene.stage.world.postgres, run.fact(StepName.GO_BACK, "failed_database") or ""
    copy = await restored(pg, scene.stage.world.backups / run.id, "casework_as_backed_up")
    truth = await missing(pg, copy, await reopened(pg, failed))
    print(f"   (counted row by row) {truth}")
    expect(option is not None and option.rows == sum(each.rows for each in truth.values()), f"{option}; {truth}")
    expect(option is not None and option.estimated == told.startswith("Lost: about "), f"How sure? {option}; {told}")
    for table, each in truth.items():
        signs = ((each.inserted, "+"), (each.updated, "~"), (each.deleted, "−"))
        words = " ".join([table, *(f"{sign}{count:,}" for count, sign in signs if count)])
        expect(words in told, f"The question does not say “{words}”: {told}")


async def _migrated(scene: Scene, file: str) -> None:
    """All approve, until the migration is watched."""
    await scene.start(file)
    for step in STEPS:
        await scene.approve(step)
    await scene.reaches("the watch", lambda run: run.state is State.WATCHING or run.route is Route.ROLLBACK)


async def _wants_back(scene: Scene) -> None:
    await scene.fill(scene.dana, Verb.ROLLBACK, "Lawyers see their cases in the wrong order")


async def _asked(scene: Scene, rung: Rung) -> Run:
    """Wait for the question of the way back; it must be about this rung."""
    await scene.question(StepName.ANNOUNCE_ROLLBACK)
    run = await scene.reaches("the question", lambda found: found.question is not None and found.question.rung == rung)
    expect(run.question is not None and run.question.option is not None, "The way has no figures.")
    return run


async def _type_yes(scene: Scene) -> None:
    await scene.approve_typed(StepName.ANNOUNCE_ROLLBACK, (await scene.run()).plan.database)


async def _approved(scene: Scene) -> Run:
    await _type_yes(scene)
    return await scene.ends(State.ROLLED_BACK)


async def _as_before(scene: Scene, run: Run, table: str, column: str) -> None:
    """The schema from before, services up, and the failed database kept."""
    expect(await scene.has_column(table, column), f"{table}.{column} of the old schema is not there.")
    expect(not run.services_down, "The run ended with the services down.")
    up = await scene.stage.platform.status(scene.stage.target)
    expect(all(up.values()), f"Not all services run: {up}.")
    failed = run.fact(StepName.GO_BACK, "failed_database")
    expect(failed in await scene.databases(), f"The failed database {failed} was not kept.")


async def _releases(scene: Scene) -> list[str]:
    target, platform = scene.stage.target, scene.stage.platform
    return [await platform.release(target, service) for service in target.services]
