"""Stop: maintenance mode on web services, then suspend everything (Render cannot scale to zero)."""

from collections.abc import Mapping

import structlog

from bot.ports import StepError
from integrations.http.errors import Rejected
from integrations.render.desk import Desk, refuse_foreign
from integrations.render.memory import Memory, What, found_by
from integrations.render.model import Deploy, ServiceState
from integrations.render.starting import deploys_on_again

logger = structlog.get_logger(__name__)


async def stop(desk: Desk) -> None:
    """Returns when nothing runs any more.  What is suspended already is left as it is."""
    states = await desk.states()
    refuse_foreign(states)
    awake = {name: state for name, state in states.items() if not state.suspended}
    earlier = desk.memory or found_by("", await desk.found(states), None)
    memory = desk.keep(earlier.awake(frozenset(awake)))
    memory = await _held(desk, memory, awake)
    memory = await _calm(desk, memory, awake)
    memory = await _in_maintenance(desk, memory, awake)
    for name, state in awake.items():
        memory = await desk.change(memory, name, What.SUSPENDED, desk.api.suspend(state.id))
    await _gone(desk, states)


async def _held(desk: Desk, memory: Memory, awake: Mapping[str, ServiceState]) -> Memory:
    """Automatic deploys off, before we look for deploys: none may begin behind our back."""
    for name, state in awake.items():
        if state.auto_deploy:
            doing = desk.api.auto_deploy(state.id, on=False)
            memory = await desk.change(memory, name, What.AUTO_DEPLOY, doing)
    return memory


async def _calm(desk: Desk, memory: Memory, awake: Mapping[str, ServiceState]) -> Memory:
    """Wait for deploys in flight; the deploy to come back to is the one that is live then.

    Raises ``StepError`` for a deploy that does not end, with nothing changed.
    """
    try:
        for name, state in awake.items():
            await _landed(desk, name, state.id)
    except StepError:
        if not any(each.what is What.SUSPENDED for each in memory.changes):
            await deploys_on_again(desk, memory)
        raise
    return desk.keep(memory.on_deploys(await desk.found(awake)))


async def _landed(desk: Desk, name: str, service: str) -> None:
    flying: list[Deploy] = []

    async def landed() -> bool:
        flying[:] = [each for each in await desk.api.deploys(service) if each.in_flight]
        return not flying

    seconds = desk.api.patience.in_flight
    try:
        await desk.api.until(landed, seconds=seconds, otherwise=StepError("in flight"))
    except StepError as error:
        if not flying:
            raise
        raise StepError(
            f"{name} is being deployed: {flying[0]} has not ended within {seconds:.0f} s. Nothing was stopped.",
            "Wait until it is over, or cancel it on Render, then retry.",
        ) from error


async def _in_maintenance(desk: Desk, memory: Memory, awake: Mapping[str, ServiceState]) -> Memory:
    """Web services say so at once, while the rest goes down; a plan without that mode is stopped without it."""
    for name, state in awake.items():
        if state.maintenance is False:
            doing = desk.api.maintenance(state.id, on=True, uri=state.maintenance_uri)
            try:
                memory = await desk.change(memory, name, What.MAINTENANCE, doing)
            except Rejected as error:
                logger.info("render.no_maintenance_mode", service=name, why=error.problem)
                desk.keep(memory)
    return memory


async def _gone(desk: Desk, states: Mapping[str, ServiceState]) -> None:
    """Suspended is only an answer: wait until no instance is left."""
    for name, state in states.items():

        async def gone(state: ServiceState = state) -> bool:
            suspended = (await desk.api.service(state.id)).suspended
            return suspended and not (state.has_instances and await desk.api.instances(state.id))

        seconds = desk.api.patience.stop
        otherwise = StepError(
            f"{name} is suspended on Render, but an instance of it still runs after {seconds:.0f} s.",
            f"Look at {name} on Render, then retry.",
        )
        await desk.api.until(gone, seconds=seconds, otherwise=otherwise)
