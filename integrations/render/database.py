"""A Render Postgres: its state, how to connect to it, and its exports as a second backup off the bot's own disk."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.ports import StepError
from integrations.http.lenient import at, objects, text
from integrations.http.settle import settled
from integrations.render.api import RenderApi

READY = ("available", "maintenance_scheduled")
EXPORT_SECONDS = 3600.0  # Render says nothing of how long one takes; a large database is dumped in less


@dataclass(frozen=True, kw_only=True)
class Database:
    """What Render says of a database; ``maintenance`` is the state of its next maintenance, if there is one."""

    id: str
    name: str
    status: str
    role: str
    version: str
    plan: str
    region: str
    highly_available: bool
    maintenance: str = ""

    @property
    def ready(self) -> bool:
        """Can it be migrated now?  A status that we do not know is no yes."""
        return self.status in READY and self.role == "primary"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Secrets, each of them: never to argv, logs or messages.  Migrations need the direct address, not a pooler's."""

    password: str = field(repr=False)
    internal: str = field(repr=False)
    external: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Export:
    """A logical backup that Render keeps for 7 days.  ``url`` carries its own key; empty until it is done."""

    id: str
    created: str
    url: str = field(default="", repr=False)

    def begun_after(self, moment: float) -> bool:
        """Was it begun after that moment (POSIX seconds)?  One whose time cannot be read is none of ours."""
        try:
            return datetime.fromisoformat(self.created).timestamp() > moment
        except ValueError:
            return False


class Databases:
    """Render's Postgres.  Errors are ``StepError``."""

    def __init__(self, api: RenderApi) -> None:
        self._api = api

    async def detail(self, postgres: str) -> Database:
        data = (await self._api.client.read(f"/postgres/{postgres}")).data
        return Database(
            id=text(data, "id"),
            name=text(data, "name"),
            status=text(data, "status"),
            role=text(data, "role"),
            version=text(data, "version"),
            plan=text(data, "plan"),
            region=text(data, "region"),
            highly_available=at(data, "highAvailabilityEnabled") is True,
            maintenance=text(data, "maintenance", "state"),
        )

    async def connection(self, postgres: str) -> Connection:
        data = (await self._api.client.read(f"/postgres/{postgres}/connection-info")).data
        internal, external = text(data, "internalConnectionString"), text(data, "externalConnectionString")
        return Connection(password=text(data, "password"), internal=internal, external=external)

    async def exports(self, postgres: str) -> tuple[Export, ...]:
        data = (await self._api.client.read(f"/postgres/{postgres}/export")).data
        return tuple(
            Export(id=text(each, "id"), created=text(each, "createdAt"), url=text(each, "url"))
            for each in objects(data)
        )

    async def export(self, postgres: str, *, seconds: float = EXPORT_SECONDS) -> Export:
        """Make one, and wait until it can be fetched.  Render answers with no id: it is the one that was not there."""
        known = {each.id for each in await self.exports(postgres)}

        async def begun() -> bool:
            return any(each.id not in known for each in await self.exports(postgres))

        patience = self._api.patience
        writing = self._api.client.write("POST", f"/postgres/{postgres}/export")
        await settled(writing, begun, seconds=patience.settle, every=patience.look)
        return await self._finished(postgres, known, seconds)

    async def _finished(self, postgres: str, known: set[str], seconds: float) -> Export:
        done: list[Export] = []

        async def there() -> bool:
            done[:] = [each for each in await self.exports(postgres) if each.url and each.id not in known]
            return bool(done)

        otherwise = StepError(
            f"The export of {postgres} is not done after {seconds:.0f} s.",
            "Look at the database's exports on Render; a retry makes another one.",
        )
        await self._api.until(there, seconds=seconds, otherwise=otherwise)
        return done[0]
