"""The scenario of a game day: the whole runbook on a copy, everything goes wrong that can, and the score says so."""

import json

from bot.demo import cast
from bot.demo.scene import LONG, Scene, expect, until
from bot.jobs.whereabouts import living
from bot.runbook.criteria import Criterion
from bot.runbook.run import Run, State
from bot.runbook.steps import StepName
from bot.views.exercise import MARK

MIGRATION = "001_add_case_priority.sql"
_STEPS = (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES)


async def game_day(scene: Scene) -> None:
    """Dana asks for it; lee tries to answer; the approvers answer everything; every fault is noticed."""
    before = await scene.databases()
    await scene.stage.troupe.start_another("worker")
    await until(lambda: _two_workers(scene), "the second worker")
    await scene.told(scene.dana, f"/migrate drill --faults {scene.stage.target.name} {MIGRATION} speed=60")
    await until(lambda: _begun(scene), "the exercise's run")
    for step in _STEPS:
        if step is StepName.BACKUP:
            outsider = scene.people[cast.OUTSIDER]
            await outsider.click(await scene.question(step, by=outsider))
        await scene.approve(step)
    run = await scene.reaches("the way back", lambda found: found.question is not None and found.breach is not None)
    expect(run.breach is Criterion.ERROR_RATE, f"The breach is {run.breach}.")
    word = (run.question.word if run.question else None) or ""
    expect(bool(word), "The way back is not asked for by typing.")
    await scene.approve_typed(StepName.ANNOUNCE_ROLLBACK, word)
    await scene.ends(State.ROLLED_BACK)
    await _scored(scene)
    await until(lambda: _nothing_left(scene, before), "the copy's end")
    expect(not await scene.has_column("cases", "priority"), "The exercise changed the real database.")


async def _two_workers(scene: Scene) -> bool:
    """One may be killed only where another lives."""
    async with scene.engine.connection() as conn:
        return len(await living(conn)) > 1


async def broken_backup(scene: Scene) -> None:
    """The backup is damaged once it is made: it is refused before the migration, and people end the run."""
    before = await scene.databases()
    await scene.told(scene.dana, f"/migrate drill --faults {scene.stage.target.name} {MIGRATION} backup speed=60")
    await until(lambda: _begun(scene), "the exercise's run")
    await scene.approve(StepName.BACKUP)
    run = await scene.reaches("the refusal", lambda found: found.state is State.STUCK)
    expect(run.step.name is StepName.STANDBY, f"It was {run.step.name} that refused.")
    await scene.told(scene.dana, f"/migrate abort {scene.run_id} the backup is damaged")
    run = await scene.ends(State.CANCELLED)
    expect(run.result(StepName.APPLY) is None, "The migration ran on a damaged backup.")
    score = await scene.dana.wait_message(lambda found: "Game day over" in found["text"], timeout=LONG)
    expect("1 of 1 fault noticed in time" in score["text"], f"It was not noticed: {score['text']}")
    await until(lambda: _nothing_left(scene, before), "the copy's end")


async def _begun(scene: Scene) -> bool:
    newest: tuple[Run, ...] = await scene.engine.recent(1)
    scene.run_id = newest[0].id if newest and newest[0].plan.exercise else ""
    return bool(scene.run_id)


async def _scored(scene: Scene) -> None:
    """The score is in the channel, says that all was noticed, and every message before it said that it is none real."""
    score = await scene.dana.wait_message(lambda found: "Game day over" in found["text"], timeout=LONG)
    expect("4 of 4 faults noticed in time" in score["text"], f"Not every fault was noticed: {score['text']}")
    expect("1 answer of people who may not" in score["text"], "The outsider's attempt was not counted.")
    mine = [each for each in scene.dana.messages() if scene.run_id in json.dumps(each)]
    unmarked = [each["text"] for each in mine if not each["text"].startswith(MARK) and not each.get("is_ephemeral")]
    expect(not unmarked, f"These messages do not say that it is an exercise: {unmarked}")


async def _nothing_left(scene: Scene, before: tuple[str, ...]) -> bool:
    left = set(await scene.databases()) - set(before)
    folder = [each.name for each in scene.stage.world.backups.iterdir() if each.name.startswith(".gameday")]
    return not left and not folder
