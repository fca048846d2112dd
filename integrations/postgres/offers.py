"""All five rungs as they are now, in the ladder's order, each with its cost or why it is not there."""

import asyncio

from bot.ports import StepError
from bot.runbook.rungs import Option, Rung
from integrations.postgres.offer import Offer, as_begun, impossible, moment_before
from integrations.postgres.offer_copy import offer_restore, offer_switch
from integrations.postgres.offer_down import offer_down
from integrations.postgres.scene import Scene
from integrations.postgres.untouched import why_touched

_NOTHING = (
    "Nothing needs to be undone: no file of this run is marked as applied, and the schema is the backup's.",
    "The database is not touched; nothing is lost. The services are stopped, if they run, and started again.",
)


async def offers_of(scene: Scene, *, ahead: bool = False) -> tuple[Offer, ...]:
    """Reads only, within seconds.  ``ahead``: as it will be once the migration is in."""
    if begun := scene.begun:
        why = f"the switch has been begun as “{Option(rung=begun, possible=True).title}” and can only be finished"
        rest = [impossible(rung, why) for rung in Rung if rung is not begun]
        return _ordered((as_begun(scene.context, begun, scene), *rest))
    return await asyncio.gather(
        _nothing(scene, ahead=ahead),
        offer_down(scene, ahead=ahead),
        offer_switch(scene),
        offer_restore(scene),
        _platform(scene),
    )


def _ordered(offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    return tuple(sorted(offers, key=lambda each: list(Rung).index(each.option.rung)))


async def _nothing(scene: Scene, *, ahead: bool) -> Offer:
    if ahead:
        return impossible(Rung.NOTHING, "the migration is in")
    try:
        why = await why_touched(scene.context)
    except StepError as error:  # what cannot be asked is not proven; the other ways may still be there
        why = error.problem
    if why:
        return impossible(Rung.NOTHING, why)
    basis = "nothing is done to the database"
    option = Option(rung=Rung.NOTHING, possible=True, seconds=0.0, basis=basis, rows=0, loses="nothing")
    return Offer(option=option, lines=_NOTHING)


async def _platform(scene: Scene) -> Offer:
    moment = moment_before(scene.context)
    possible, how = await scene.platform.offer(scene.context.target, moment)
    if not possible:
        return impossible(Rung.PLATFORM, how)
    option = Option(rung=Rung.PLATFORM, possible=True, basis=how, loses=f"what was written after {moment}")
    said = f"In people's hands: recovery to {moment} on the hosting platform, {how}"
    return Offer(option=option, lines=(said,), lost=(f"Lost: {option.loses}.",))
