"""Start: change back what we changed, newest first, and nothing else; on the way back, on the deploys from before."""

from collections.abc import Collection, Mapping

from bot.ports import StepError
from integrations.process import Redactor
from integrations.render.desk import Desk, refuse_foreign
from integrations.render.logs import Logs
from integrations.render.memory import Memory, What
from integrations.render.model import Deploy, ServiceState

LOG_LINES = 10


async def start(desk: Desk, *, previous: bool) -> None:
    """Returns when what ran before runs again and is open to its users."""
    memory, states = desk.memory or Memory(), await desk.states()
    refuse_foreign(states)
    wanted = {name: state for name, state in states.items() if name not in memory.idle}
    _refuse_others(memory, wanted)
    known = {name: {each.id for each in await desk.api.deploys(state.id)} for name, state in wanted.items()}
    if previous:
        await _refuse_pre_deploy(desk, memory, wanted)
    memory = await _resumed(desk, memory, wanted)
    if previous:
        memory = await _rolled_back(desk, memory, wanted)
    for name, state in wanted.items():
        release = memory.before[name].release if previous and name in memory.before else ""
        await _up(desk, name, state, known[name], release)
    memory = await _open(desk, memory, states)
    if not previous:
        await deploys_on_again(desk, memory)


async def deploys_on_again(desk: Desk, memory: Memory) -> Memory:
    """Automatic deploys as they were."""
    for change in reversed(memory.changes):
        if change.what is What.AUTO_DEPLOY and change.service in desk.services:
            await desk.api.auto_deploy(desk.services[change.service], on=True)
            memory = desk.keep(memory.without(change))
    return memory


def _refuse_others(memory: Memory, wanted: Mapping[str, ServiceState]) -> None:
    """What somebody else has suspended is not ours to resume."""
    for name, state in wanted.items():
        if state.suspended and not memory.changed(name, What.SUSPENDED):
            raise StepError(
                f"{name} is suspended on Render, and not by this bot.",
                f"If it is to run, resume {name} on Render, then retry.",
            )


async def _refuse_pre_deploy(desk: Desk, memory: Memory, wanted: Mapping[str, ServiceState]) -> None:
    """A resume deploys what was there last, and its pre-deploy command may migrate the database that has gone back."""
    for name, state in wanted.items():
        then = memory.before.get(name)
        if not state.suspended or not state.pre_deploy or then is None or not then.deploy:
            continue
        current = await desk.api.current(state.id)
        if current is not None and current.release != then.release:
            raise StepError(
                f"{name} would come up on {current.release} first, and run its pre-deploy command there.",
                f"Remove the pre-deploy command of {name} on Render until it is back on {then.release}, then retry.",
            )


async def _resumed(desk: Desk, memory: Memory, wanted: Mapping[str, ServiceState]) -> Memory:
    """In the reverse order of the stop."""
    for change in reversed(memory.changes):
        if change.what is What.SUSPENDED and change.service in wanted:
            if wanted[change.service].suspended:
                await desk.api.resume(desk.services[change.service])
            memory = desk.keep(memory.without(change))
    return memory


async def _rolled_back(desk: Desk, memory: Memory, wanted: Mapping[str, ServiceState]) -> Memory:
    """On the deploys from before, with automatic deploys off first: a rollback by the API leaves them on."""
    for name, state in wanted.items():
        then = memory.before.get(name)
        if then is None or not then.deploy:
            continue
        if state.auto_deploy:
            doing = desk.api.auto_deploy(state.id, on=False)
            memory = await desk.change(memory, name, What.AUTO_DEPLOY, doing)
        deploys = await desk.api.deploys(state.id)
        coming = next((each for each in deploys if each.in_flight or each.live), None)
        if coming is None or coming.release != then.release:
            there = Deploy(id=then.deploy, status="", trigger="", release=then.release)
            await desk.api.rollback(state.id, there)
    return memory


async def _up(desk: Desk, name: str, state: ServiceState, known: Collection[str], release: str) -> None:
    """Wait for a live deploy (of ``release``, where it is given) with an instance.

    Raises ``StepError`` with the end of the log when a deploy that is not among ``known`` has failed.
    """

    async def up() -> bool:
        deploys = await desk.api.deploys(state.id)
        newest = deploys[0] if deploys else None
        if newest is not None and newest.failed and newest.id not in known:
            raise await _failed(desk, name, state, newest)
        current = await desk.api.current(state.id)
        if (newest is not None and newest.in_flight) or (release and current and current.release != release):
            return False
        return not state.has_instances or bool(await desk.api.instances(state.id))

    seconds = desk.api.patience.deploy
    otherwise = StepError(
        f"{name} has not come up on Render within {seconds:.0f} s.",
        f"Look at the deploys and the log of {name} on Render, then retry.",
    )
    await desk.api.until(up, seconds=seconds, otherwise=otherwise)


async def _failed(desk: Desk, name: str, state: ServiceState, deploy: Deploy) -> StepError:
    logs = Logs(desk.api, state.owner, secrets=(desk.target.dsn, *desk.api.client.origin.secrets))
    try:
        lines = await logs.tail(state.id, LOG_LINES)
    except StepError:
        lines = ()  # the log only helps to see why; that it failed is known without
    said = "\n".join((f"{name} did not come up: {deploy}.", *map(Redactor(), lines)))
    return StepError(said, f"Find out why the deploy of {name} failed, on Render, then retry.")


async def _open(desk: Desk, memory: Memory, states: Mapping[str, ServiceState]) -> Memory:
    """Maintenance mode off again, where we turned it on."""
    for change in reversed(memory.changes):
        if change.what is What.MAINTENANCE and change.service in states:
            then = memory.before[change.service]
            await desk.api.maintenance(states[change.service].id, on=False, uri=then.maintenance_uri)
            memory = desk.keep(memory.without(change))
    return memory
