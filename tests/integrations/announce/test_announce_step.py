"""Announcing is told after it is true; before a rollback, its description is what people approve."""

from pathlib import Path

import pytest

from bot.ports import Context, Description, Outcome, StepError
from bot.runbook.run import Done
from bot.runbook.rungs import Option, Rung
from bot.runbook.samples import Verdict
from bot.runbook.steps import Route, StepName
from integrations.announce.step import Announce
from tests.integrations.services.making import context, run_at, target

BACKUP = Done(step=StepName.BACKUP, began_at=1.0, ended_at=2.0, facts=(("manifest_sha256", "ab12cd34ef"),))


def at(step: StepName, folder: Path, route: Route = Route.FORWARD, *done: Done) -> Context:
    return context(run_at(step, route=route, done=done), target(folder))


async def standby(_: Context) -> Description:
    """A ladder that chose the standby copy."""
    return Description(
        inputs={"rung": "switch to the standby copy", "standby": "casework_standby"},
        lines=("Switch to casework_standby; lost: 12 transactions.",),
        attachments={"calls": "ALTER DATABASE"},
        rung=Rung.SWITCH,
        options=(Option(rung=Rung.SWITCH, possible=True, rows=12),),
    )


async def test_the_five_answers_of_an_announcement(tmp_path: Path) -> None:
    """The digest covers the channel; check knows nothing; run leaves the posting to the outbox; no undo."""
    step, now = Announce(), at(StepName.ANNOUNCE_START, tmp_path)
    described = await step.describe(now)
    assert {"target": "casework", "channel": "#engineering", "step": "announce_start"} == described.inputs
    assert ("Announce maintenance start, in this channel.",) == described.lines
    assert await step.check(now) is None
    assert Outcome(evidence=("Announced in this channel",)) == await step.run(now)
    reason = "The message is posted with the record of this step."
    assert Verdict(ok=True, reason=reason) == await step.verify(now, Outcome())
    assert "An announcement cannot be taken back; a later one corrects it." == step.undo(now)


async def test_what_runs_is_written_down_before_the_maintenance_is_announced(tmp_path: Path) -> None:
    """At the start of the run and at no other announcement, so that a way back knows the deploys from before."""
    seen: list[str] = []

    async def remember(now: Context) -> None:
        seen.append(now.run.step.name.value)

    step = Announce(starting=remember)
    await step.run(at(StepName.ANNOUNCE_START, tmp_path))
    await step.run(at(StepName.ANNOUNCE_COMPLETE, tmp_path))

    assert ["announce_start"] == seen


async def test_a_rollback_is_bound_to_its_backup_and_its_rung(tmp_path: Path) -> None:
    """The ladder says the way; target and backup are covered by the digest whatever it says."""
    now = at(StepName.ANNOUNCE_ROLLBACK, tmp_path, Route.ROLLBACK, BACKUP)
    described = await Announce(ladder=standby).describe(now)
    expected = {
        "target": "casework", "backup": "ab12cd34ef",
        "rung": "switch to the standby copy", "standby": "casework_standby",
    }  # fmt: skip
    assert expected == described.inputs
    assert "Roll back casework (backup ab12cd34)." == described.lines[0]
    assert "Switch to casework_standby; lost: 12 transactions." == described.lines[1]
    assert {"calls": "ALTER DATABASE"} == described.attachments
    assert Rung.SWITCH == described.rung
    assert (12,) == tuple(each.rows for each in described.options)


@pytest.mark.parametrize("step", [StepName.STOP_SERVICES, StepName.GO_BACK, StepName.RESTART_SERVICES])
async def test_the_later_steps_of_a_rollback_are_described_alike(step: StepName, tmp_path: Path) -> None:
    """One approval covers them all, so its digest must be the same at each of them."""
    first = await Announce(ladder=standby).describe(at(StepName.ANNOUNCE_ROLLBACK, tmp_path, Route.ROLLBACK, BACKUP))
    now = at(step, tmp_path, Route.ROLLBACK, BACKUP)
    assert first == await Announce(ladder=standby).describe(now)
    assert "can be renamed back" in Announce().undo(now)


async def test_without_a_ladder_the_runbooks_restore_is_described(tmp_path: Path) -> None:
    """The plain description says what happens and what is lost."""
    now = at(StepName.ANNOUNCE_ROLLBACK, tmp_path, Route.ROLLBACK, BACKUP)
    described = await Announce().describe(now)
    assert {"target": "casework", "backup": "ab12cd34ef", "rung": "restore the backup of this run"} == described.inputs
    assert any("is lost" in line for line in described.lines)


async def test_without_a_backup_there_is_no_rollback_to_describe(tmp_path: Path) -> None:
    """Nobody is asked to approve a way back that does not exist."""
    with pytest.raises(StepError, match="no backup") as refused:
        await Announce().describe(at(StepName.ANNOUNCE_ROLLBACK, tmp_path, Route.ROLLBACK))
    assert "Hand the run over to a person who decides how to go back." == refused.value.advice
