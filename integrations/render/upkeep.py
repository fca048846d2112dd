"""Render's own maintenance: a run is not begun while it is under way, or would fall into it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.ports import Maintenance, StepError
from bot.target import Target
from integrations.http.lenient import objects, text
from integrations.render.api import RenderApi
from integrations.render.site import Site

WINDOW = timedelta(hours=2)  # the runbook's migration window, with its watch
_NOW = ("in_progress", "user_fix_required")


class RenderMaintenance:
    """``Maintenance`` of the services and the database of one target."""

    def __init__(self, site: Site, *, api: RenderApi | None = None) -> None:
        self._site = site
        self._api = api or RenderApi(site.client(), site.patience)

    async def during(self, target: Target, start: float, end: float) -> tuple[str, ...]:
        """What is under way, or scheduled from ``start`` to ``end`` (POSIX seconds), in words."""
        moments = [datetime.fromtimestamp(each, UTC) for each in (start, end)]
        return await planned(self._api, resources_of(self._site, target), *moments)


class EachMaintenance:
    """``Maintenance`` of every target, by its name; of one that is nowhere else there is none."""

    def __init__(self, of: Mapping[str, Maintenance]) -> None:
        self._of = of

    async def during(self, target: Target, start: float, end: float) -> tuple[str, ...]:
        """What the target's own platform has planned."""
        platform = self._of.get(target.name)
        return await platform.during(target, start, end) if platform else ()


def resources_of(site: Site, target: Target) -> tuple[str, ...]:
    """The ids of all that the target has on Render."""
    services = [site.services[each.name] for each in target.services]
    return tuple(filter(None, (*services, site.postgres)))


async def refuse_upkeep(api: RenderApi, resources: Sequence[str], *, now: datetime | None = None) -> None:
    """Raises ``StepError`` that names the maintenance of one of ``resources`` in the next two hours."""
    present = now or datetime.now(UTC)
    if found := await planned(api, resources, present, present + WINDOW):
        raise StepError(
            f"Render maintains {found[0]}.",
            "Begin when it is over, or move it on Render (the resource's Maintenance page), then retry.",
        )


async def planned(api: RenderApi, resources: Sequence[str], start: datetime, end: datetime) -> tuple[str, ...]:
    """Each maintenance that is under way or begins before ``end``; how long one takes Render does not say."""
    answer = await api.client.read("/maintenance", params={"resourceId": list(resources)})
    return tuple(_words(each) for each in objects(answer.data) if _overlaps(each, start, end))


def _overlaps(entry: object, start: datetime, end: datetime) -> bool:
    """A moment that cannot be read counts as within."""
    if text(entry, "state") in _NOW:
        return True
    if text(entry, "state") != "scheduled":
        return False
    try:
        return start - WINDOW < datetime.fromisoformat(text(entry, "scheduledAt")) < end
    except (ValueError, TypeError):
        return True


def _words(entry: object) -> str:
    kind, state = text(entry, "type") or "maintenance", text(entry, "state")
    return f"{text(entry, 'resourceId')} ({kind}, {state}, {text(entry, 'scheduledAt')})"
