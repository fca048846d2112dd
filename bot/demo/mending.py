"""A migration that takes too long is given more time at a button; what only a person can try is tried by one."""

from bot.demo import cast
from bot.demo.scene import LONG, Scene, expect
from bot.runbook.fixes import Fix
from bot.runbook.manual import Moment
from bot.runbook.run import Database, State
from bot.runbook.steps import StepName
from bot.runbook.tried import said_of
from bot.views.ids import Verb

CHECK = "signing in"
TERMS = f"""\
statement_timeout = 1.0
manual_checks = {{ "{CHECK}" = {{ ask = "Sign in as a clerk.", people = ["{cast.ON_CALL_GROUP}"] }} }}
"""
_FILE = "950_slow.sql"
_SLOW = "ALTER TABLE cases ADD COLUMN priority text;\nSELECT pg_sleep(2);  -- as long as a large table takes\n"


async def mended(scene: Scene) -> None:
    """The statement runs out of time, nothing has changed, four times as much is approved and enough."""
    (scene.stage.world.migrations / _FILE).write_text(_SLOW)
    await scene.start(_FILE)
    await _tries(scene, Moment.BEFORE)
    for step in (StepName.BACKUP, StepName.STOP_SERVICES, StepName.APPLY):
        await scene.approve(step)
    run = await scene.reaches("what now", lambda found: found.state is State.STUCK)
    expect(run.database_state is Database.UNTOUCHED, "A statement that ran out of time has changed something.")
    button = await scene.dana.wait_button(f"{Verb.FIX.id}.{Fix.LONGER}", timeout=LONG)
    expect("statement timeout" in button.message["text"], "The message does not say what happened.")
    await scene.dana.click(button)
    asked = await scene.question(StepName.APPLY)
    expect("a statement after 4 s" in str(asked.message["blocks"]), "The question does not say the longer time.")
    for step in (StepName.APPLY, StepName.RESTART_SERVICES):
        await scene.approve(step)
    await _tries(scene, Moment.AFTER)
    run = await scene.ends(State.COMPLETED)
    expect(await scene.has_column("cases", "priority"), "The run completed, but the migration is not in.")
    expect(said_of(run, CHECK, Moment.BEFORE) is not None, "What was tried before is forgotten.")


async def _tries(scene: Scene, moment: Moment) -> None:
    """Whoever is on call presses the newest button for it."""
    known = len((await scene.run()).answers)
    omar = scene.people[cast.ON_CALL]
    word = "before the migration" if moment is Moment.BEFORE else "with the migration in"
    button = await omar.wait_button(Verb.WORKS.id, pred=lambda found: word in found.message["text"], timeout=LONG)
    done = await omar.click(button)
    expect(done.ok, f"The bot did not answer: {done.error}")
    await scene.reaches("the answer", lambda run: len(run.answers) > known)
