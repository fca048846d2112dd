"""A run on a Render that fails: every write's answer is lost once, limits are hit, and a deploy is in the way."""

from bot.demo.http_faults import Fault
from bot.demo.render.state import ServiceRecord
from bot.demo.sample_work import FIRST_RELEASE
from bot.demo.scene import ScenarioFailed, Scene, expect
from bot.runbook.run import State
from bot.runbook.steps import StepName

GOOD = "001_add_case_priority.sql"


async def render_faults(scene: Scene) -> None:
    """All of it is told apart and waited for: each change is made once, and everything is as it was in the end."""
    hosting = scene.stage.render
    if hosting is None:
        raise ScenarioFailed("This scenario needs --platform render.")
    world, faults = hosting.fake.world, hosting.fake.faults
    faults.every_write_once = True
    await scene.start(GOOD)
    await scene.approve(StepName.BACKUP)
    await scene.question(StepName.STOP_SERVICES)
    faults.next(*[Fault.LIMITED] * 3, Fault.ERROR, Fault.MALFORMED, method="GET")
    faults.next(Fault.RETRY_AFTER, Fault.LIMITED, method="POST")
    world.looks = 3
    world.deploy(world.named("casework-web"), FIRST_RELEASE, "new_commit")
    for step in (StepName.STOP_SERVICES, StepName.APPLY, StepName.RESTART_SERVICES):
        await scene.approve(step)
    run = await scene.ends(State.COMPLETED)
    expect(await scene.has_column("cases", "priority"), "The run completed, but the migration is not in.")
    expect(not run.services_down, "The run completed with the services down.")
    for service in (world.named(name) for name in hosting.services):
        _as_it_was(service, world.happenings(service))
    lost = [each for each in faults.spoiled if each.startswith(Fault.LOST)]
    print(f"   (went wrong on Render) {len(faults.spoiled)} calls, of them {len(lost)} writes whose answer was lost")
    expect(len(lost) >= 6, f"Too little went wrong: {faults.spoiled}")


def _as_it_was(service: ServiceRecord, happened: list[str]) -> None:
    """Nothing is left changed, and nothing was done twice."""
    expect(bool(service.instances) and not service.suspended, f"{service.name} does not run.")
    expect(service.auto_deploy and not service.maintenance, f"Something of {service.name} was not changed back.")
    for once in ("service_suspended", "service_resumed"):
        expect(happened.count(once) == 1, f"{once} happened {happened.count(once)} times: {happened}")
