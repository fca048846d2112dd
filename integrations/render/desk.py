"""One target's services on Render, beside what is remembered of them."""

from collections.abc import Awaitable, Mapping
from pathlib import Path

from bot.ports import StepError
from bot.target import Target
from integrations.render.api import RenderApi
from integrations.render.memory import Before, Memory, What, found_by, load, save
from integrations.render.model import ServiceState
from integrations.render.site import Site


class Desk:
    """Reads the services' states, and writes down each change before it is made."""

    def __init__(self, api: RenderApi, site: Site, target: Target) -> None:
        self.api = api
        self.target = target
        self.services: Mapping[str, str] = {each.name: site.services[each.name] for each in target.services}
        self._path = memory_of(target)

    @property
    def memory(self) -> Memory | None:
        """``None`` when nothing was found or changed yet; ``StepError`` where it cannot be read."""
        try:
            return load(self._path)
        except ValueError:
            raise StepError(
                f"What was found on Render before the run cannot be read ({self._path}).",
                "Nothing is changed without it. Bring the services back on Render by hand, move the file away, retry.",
            ) from None

    def keep(self, memory: Memory) -> Memory:
        save(self._path, memory)
        return memory

    async def states(self) -> dict[str, ServiceState]:
        """Each service by its name in the configuration."""
        return {name: await self.api.service(number) for name, number in self.services.items()}

    async def found(self, states: Mapping[str, ServiceState]) -> dict[str, Before]:
        """How the services are now, with the deploy each of them runs."""
        return {name: Before.of(state, await self.api.current(state.id)) for name, state in states.items()}

    async def remembered(self, run: str) -> Memory:
        """What ``run`` found; looked for now when it is another run than the one that is remembered."""
        earlier = self.memory
        if earlier is not None and earlier.run == run:
            return earlier
        states = await self.states()
        refuse_foreign(states)
        return self.keep(found_by(run, await self.found(states), earlier))

    async def change(self, memory: Memory, name: str, what: What, doing: Awaitable[None]) -> Memory:
        """Write it down, then do it: after a crash between the two it is undone for nothing, never forgotten."""
        kept = self.keep(memory.with_change(name, what))
        await doing
        return kept


def memory_of(target: Target) -> Path:
    """Where it is remembered what was found and changed."""
    return target.state.absolute() / ".render"


def refuse_foreign(states: Mapping[str, ServiceState]) -> None:
    """Raises ``StepError`` for a service that Render or an administrator has suspended: we could not bring it back."""
    for name, state in states.items():
        if state.foreign:
            raise StepError(
                f"{name} is suspended on Render by {', '.join(state.foreign)}, which the bot cannot undo.",
                "Have it lifted on Render, or take the service out of the target's configuration, then retry.",
            )
