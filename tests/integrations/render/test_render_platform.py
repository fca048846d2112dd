"""Services on Render: what we changed is changed back, what others did is left alone, whatever goes wrong between."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.http_faults import Fault
from bot.demo.render.state import ServiceRecord
from bot.ports import StepError
from tests.integrations.render.hosting import KEY, Hosted, hosted

WRITES = ("PATCH", "POST")


@pytest.fixture
async def render(tmp_path: Path) -> AsyncIterator[Hosted]:
    async with hosted(tmp_path) as made:
        yield made


def web(render: Hosted) -> ServiceRecord:
    return render.fake.world.named("web")


def writes(render: Hosted) -> list[str]:
    """What was changed, in order, with the services' names."""
    ids = {number: name for name, number in render.site.services.items()}
    found = [each.split(" ") for each in render.fake.requests if each.startswith(WRITES)]
    return [" ".join((method, ids[path.split("/")[2]], *path.split("/")[3:])) for method, path in found]


def settings(render: Hosted) -> list[tuple[bool, bool, bool]]:
    """Of each service: suspended, automatic deploys, maintenance mode."""
    return [(each.suspended, each.auto_deploy, each.maintenance) for each in render.fake.world.services.values()]


AS_BEFORE = [(False, True, False), (False, True, False)]
STOPPED = [(True, False, True), (True, False, False)]


async def test_a_stop_goes_step_by_step_and_a_start_goes_back_the_same_way(render: Hosted) -> None:
    """Deploys off, maintenance on for the web, suspend; then the same in reverse; each change once."""
    await render.platform.stop(render.of)
    assert STOPPED == settings(render)
    assert [
        "PATCH web", "PATCH worker", "PATCH web", "POST web suspend", "POST worker suspend"
    ] == writes(render)  # fmt: skip
    render.fake.requests.clear()
    await render.platform.start(render.of)
    assert AS_BEFORE == settings(render)
    assert [
        "POST worker resume", "POST web resume", "PATCH web", "PATCH worker", "PATCH web"
    ] == writes(render)  # fmt: skip
    render.fake.requests.clear()
    await render.platform.start(render.of)
    assert [] == writes(render)


@pytest.mark.parametrize("fault", [each for each in Fault])
async def test_every_write_may_go_wrong_once(render: Hosted, fault: Fault) -> None:
    """Whatever happens to an answer, a retry at most ends right, and no write has its effect twice."""
    for call, expected in ((render.platform.stop, STOPPED), (render.platform.start, AS_BEFORE)):
        for method in WRITES:
            render.fake.faults.next(fault, fault, method=method)
        for _ in range(5):
            try:
                await call(render.of)
                break
            except StepError:
                continue
        assert expected == settings(render)
    assert 8 == len(render.fake.faults.spoiled)
    assert 2 == len(web(render).deploys)


async def test_an_answer_that_is_lost_needs_no_retry(render: Hosted) -> None:
    """Each write's first answer is lost after it took effect: the state is read, nothing is sent twice."""
    render.fake.faults.every_write_once = True
    await render.platform.stop(render.of)
    await render.platform.start(render.of)
    assert AS_BEFORE == settings(render)
    assert 10 == len(writes(render))
    assert 6 == len(render.fake.faults.spoiled)


@pytest.mark.parametrize("after", range(6))
async def test_a_death_between_two_changes_loses_nothing(render: Hosted, after: int) -> None:
    """Killed after so many writes of the stop, a new bot stops the rest, and brings everything back as it was."""
    await _killed(render, after)
    await render.platform.stop(render.of)
    assert STOPPED == settings(render)
    await _killed(render, after, starting=True)
    await render.platform.start(render.of)
    assert AS_BEFORE == settings(render)
    assert {"web": True, "worker": True} == await render.platform.status(render.of)


async def _killed(render: Hosted, after: int, *, starting: bool = False) -> None:
    render.fake.requests.clear()
    work = asyncio.create_task(render.platform.start(render.of) if starting else render.platform.stop(render.of))
    while not work.done() and len(writes(render)) < after:
        await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_what_was_off_before_is_off_after(render: Hosted) -> None:
    """Automatic deploys and maintenance mode that were not ours stay as they were."""
    web(render).auto_deploy, web(render).maintenance, web(render).maintenance_uri = False, True, "https://x.test/"
    await render.platform.stop(render.of)
    await render.platform.start(render.of)
    assert [(False, False, True), (False, True, False)] == settings(render)
    assert "https://x.test/" == web(render).maintenance_uri


@pytest.mark.parametrize("who", ["billing", "admin", "stuck_crashlooping", "somebody_new"])
async def test_what_others_suspended_is_never_resumed(render: Hosted, who: str) -> None:
    """A service that Render holds down is refused before anything is changed, and when it is to come back."""
    web(render).suspended, web(render).suspenders = True, ["user", who]
    for call in (render.platform.stop, render.platform.start):
        with pytest.raises(StepError, match=f"web is suspended on Render by {who}, which the bot cannot undo"):
            await call(render.of)
    with pytest.raises(StepError, match="cannot undo"):
        await render.platform.remember(render.of, "run-1")
    assert [] == writes(render)


async def test_a_suspension_that_is_not_ours_is_left(render: Hosted) -> None:
    """Without a record of having suspended it, the bot says so and changes nothing."""
    await render.platform.stop(render.of)
    (render.of.state / ".render").unlink()
    render.fake.requests.clear()
    with pytest.raises(StepError, match="web is suspended on Render, and not by this bot") as it:
        await render.platform.start(render.of)
    assert "If it is to run, resume web on Render, then retry." == it.value.advice
    assert [] == writes(render)


async def test_a_broken_memory_is_not_guessed_at(render: Hosted) -> None:
    """A file that cannot be read stops everything."""
    await render.platform.stop(render.of)
    for broken in ("{", "[]", json.dumps({"before": {}, "changes": [{"service": "web", "what": "?"}]})):
        (render.of.state / ".render").write_text(broken)
        with pytest.raises(StepError, match="cannot be read"):
            await render.platform.start(render.of)
    assert STOPPED == settings(render)


async def test_a_deploy_in_flight_is_waited_for(render: Hosted) -> None:
    """It lands before the stop, and what it brought is what to come back to."""
    render.fake.world.deploy(web(render), "r2", "new_commit")
    await render.platform.remember(render.of, "run-1")
    await render.platform.stop(render.of)
    assert STOPPED == settings(render)
    assert "r2" == await render.platform.previous(render.of, render.of.services[0])


async def test_a_deploy_that_does_not_end_is_refused(render: Hosted) -> None:
    """Nothing is stopped, and automatic deploys are on again."""
    deploy = render.fake.world.deploy(web(render), "r2", "new_commit")
    web(render).stuck = True
    with pytest.raises(StepError, match=f"web is being deployed: deploy {deploy.id} .created, new_commit.") as it:
        await render.platform.stop(render.of)
    assert "Wait until it is over, or cancel it on Render, then retry." == it.value.advice
    assert AS_BEFORE == settings(render)


async def test_a_deploy_that_fails_is_told_with_its_log(render: Hosted) -> None:
    """The start says which deploy failed and why, the key masked; automatic deploys stay off, the page up."""
    await render.platform.stop(render.of)
    web(render).fails = True
    render.fake.world.wrote(web(render).id, [f"key is {KEY}"], "error")
    with pytest.raises(StepError, match=r"web did not come up: deploy dep-\w+ .update_failed, service_resumed.") as it:
        await render.platform.start(render.of)
    assert "Error: the service does not start" in it.value.problem
    assert KEY not in it.value.problem
    assert (False, False, True) == settings(render)[0]
    render.fake.world.deploy(web(render), "r1", "manual")
    await render.platform.start(render.of)
    assert AS_BEFORE == settings(render)


async def test_the_way_back_holds_automatic_deploys(render: Hosted) -> None:
    """On the release from before, with automatic deploys off until a later run starts its services."""
    await render.platform.remember(render.of, "run-1")
    await render.platform.stop(render.of)
    await render.platform.start(render.of)
    render.fake.world.deploy(web(render), "r2", "new_commit")
    await render.platform.stop(render.of)
    await render.platform.start(render.of, previous=True)
    assert "rollback" == web(render).deploys[-1].trigger
    assert [(False, False, False), (False, False, False)] == settings(render)
    assert "off on Render for web, worker" in await render.platform.deploys_held(render.of)
    await render.platform.remember(render.of, "run-2")
    await render.platform.stop(render.of)
    await render.platform.start(render.of)
    assert AS_BEFORE == settings(render)


async def test_a_rollback_whose_answer_is_lost_is_made_once(render: Hosted) -> None:
    """It is found again among the deploys."""
    await render.platform.remember(render.of, "run-1")
    render.fake.world.deploy(web(render), "r2", "new_commit")
    render.fake.faults.next(Fault.LOST, path="/rollback")
    await render.platform.start(render.of, previous=True)
    assert ["manual", "new_commit", "rollback"] == [each.trigger for each in web(render).deploys]
    assert "r1" == await render.platform.release(render.of, render.of.services[0])


async def test_a_plan_without_maintenance_mode_is_stopped_without_it(render: Hosted) -> None:
    """The mode is a courtesy to users; nothing is left to change back."""
    web(render).free = True
    await render.platform.stop(render.of)
    assert [(True, False, False), (True, False, False)] == settings(render)
    await render.platform.start(render.of)
    assert AS_BEFORE == settings(render)


async def test_new_code_does_not_migrate_what_has_gone_back(render: Hosted) -> None:
    """A resume would run the pre-deploy command of the newer code: nothing is resumed before it is removed."""
    await render.platform.remember(render.of, "run-1")
    await render.platform.stop(render.of)
    web(render).pre_deploy = "npx prisma migrate deploy"
    render.fake.world.deploy(web(render), "r2", "manual").status = "live"
    with pytest.raises(StepError, match="web would come up on r2 first, and run its pre-deploy command there"):
        await render.platform.start(render.of, previous=True)
    assert STOPPED == settings(render)
    web(render).pre_deploy = ""
    await render.platform.start(render.of, previous=True)
    assert "r1" == await render.platform.release(render.of, render.of.services[0])


async def test_a_restart_is_over_when_the_instances_are_others(render: Hosted) -> None:
    """Also when its answer is lost."""
    before = list(web(render).instances)
    render.fake.faults.next(Fault.LOST, path="/restart")
    await render.platform.restart(render.of, render.of.services[0])
    assert before != web(render).instances


async def test_the_log_is_masked(render: Hosted) -> None:
    """The last lines, oldest first, without the key and the database's password."""
    render.fake.world.wrote(web(render).id, ["one", f"two {KEY}", f"three {render.of.dsn}"])
    assert ("two ***", "three ***") == await render.platform.log(render.of, render.of.services[0], 2)


async def test_a_wrong_key_is_said_by_name(render: Hosted) -> None:
    """The variable to check is named; the key is not shown."""
    render.fake.key = "another"
    with pytest.raises(StepError, match="Render answered 401") as it:
        await render.platform.status(render.of)
    assert "RENDER_API_KEY" in it.value.advice
    assert KEY not in f"{it.value!r} {it.value.advice} {render.site!r}"
