"""Which way back is asked for, and which one was granted.  It only reads."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from bot.ports import Context, Description, PointInTime, StepError
from bot.runbook.digest import digest_of, inputs_of
from bot.runbook.rungs import TITLES, Option, Rung, recommended
from bot.runbook.steps import StepName
from bot.runbook.wording import duration, utc
from integrations.postgres.offer import Offer, inputs_of_rung
from integrations.postgres.offers import offers_of
from integrations.postgres.scene import Scene, look_around
from integrations.postgres.settings import Limits

LINE_SECONDS = 30.0  # the point-of-no-return line of a question does not hold the question up for longer
PASSED = 2  # the run's ``deadline_told`` once the rollback deadline has passed


@dataclass(frozen=True, kw_only=True)
class Way:
    """The granted way; ``inputs`` stay the same from the question to the end of the rollback."""

    rung: Rung
    scene: Scene
    inputs: Mapping[str, str]


async def ladder(context: Context, limits: Limits | None = None, platform: PointInTime | None = None) -> Description:
    """What the one question of a rollback asks for: the way with the least loss, or the one that was picked.

    Once a way is granted, no more than its inputs is found out again: the costs are only for people.
    """
    scene = await look_around(context, limits or Limits(), platform)
    if _is_granted(context):
        way = _granted(scene)
        return Description(inputs=way.inputs, lines=(), rung=way.rung)
    if context.run.way is not None and _has_gone_back(context):
        return _nothing_left(scene, context.run.way)
    offers = await offers_of(scene)
    chosen = _chosen(context, offers)
    options = tuple(each.option for each in offers)
    return Description(
        inputs=inputs_of_rung(scene, chosen.option.rung),
        lines=(*chosen.lines, *chosen.lost, *_deadline(context)),
        attachments=chosen.attachments,
        rung=chosen.option.rung,
        options=options,
    )


def _has_gone_back(context: Context) -> bool:
    """Is the database's part of the way back done?  What is asked for after it must not seem to choose it anew."""
    run = context.run
    names = [each.name for each in run.steps]
    return StepName.GO_BACK in names and run.position > names.index(StepName.GO_BACK)


def _nothing_left(scene: Scene, way: Option) -> Description:
    said = f"The database has gone back already ({way.title}); what is left is to start the services and to watch them."
    return Description(inputs=inputs_of_rung(scene, way.rung), lines=(said,), rung=way.rung, options=(way,))


async def options_of(context: Context, limits: Limits, platform: PointInTime | None = None) -> tuple[Option, ...]:
    """Every rung as it stands now."""
    scene = await look_around(context, limits, platform)
    return tuple(each.option for each in await offers_of(scene))


async def granted_way(context: Context, limits: Limits) -> Way:
    """The way that people, or what they signed, have said yes to; ``StepError`` where it is not that any more."""
    scene = await look_around(context, limits)
    grant = context.run.grant
    way = _granted(scene) if _is_granted(context) else None
    if way is None or grant is None or grant.digest != digest_of(inputs_of(way.inputs)):
        raise not_approved()
    return way


def not_approved() -> StepError:
    """Somebody has changed something since: it is never gone another way than the approved one."""
    return StepError(
        "The way back that would be gone now is not the one that was approved.",
        "Type /migrate retry: it is described and asked anew.",
    )


async def point_of_no_return(context: Context, limits: Limits | None = None) -> str:
    """How this and all before it would be undone, and what that costs now; never raises, because it is only told."""
    try:
        return await asyncio.wait_for(_undo_line(context, limits or Limits()), LINE_SECONDS)
    except StepError as error:
        return f"Undo: what it would take could not be found out now ({error.problem})"
    except TimeoutError:
        return f"Undo: what it would take could not be found out within {LINE_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - a line for people must not keep the question from being asked
        return f"Undo: what it would take could not be found out now ({type(error).__name__})"


async def _undo_line(context: Context, limits: Limits) -> str:
    offers = await offers_of(await look_around(context, limits), ahead=True)
    best = recommended([each.option for each in offers])
    if best is None or best.rung is Rung.PLATFORM:
        return "Undo: only by hand, by point-in-time recovery on the platform; rows lost now: not known"
    title = best.title[:1].lower() + best.title[1:] if not best.title.startswith("DOWN") else best.title
    took = "not known how long" if best.seconds is None else f"about {_short(best.seconds)}"
    rows = "not known" if best.rows is None else "none" if best.rows == 0 else f"{best.rows:,}"
    rows = f"about {rows}" if best.rows and best.estimated else rows
    dropped = f"; lost with it: {best.loses}" if best.rung is Rung.DOWN and best.loses else ""
    return f"Undo: {title}, {took}; rows lost now: {rows}{dropped}"


def _short(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 120 else duration(seconds)


def _is_granted(context: Context) -> bool:
    grant = context.run.grant
    return grant is not None and grant.step is StepName.ANNOUNCE_ROLLBACK


def _granted(scene: Scene) -> Way:
    """Of a run that began before ways had options, the digest tells the rung."""
    run = scene.context.run
    if run.way is not None:
        return Way(rung=run.way.rung, scene=scene, inputs=inputs_of_rung(scene, run.way.rung))
    wanted = run.grant.digest if run.grant else ""
    for rung in Rung:
        inputs = inputs_of_rung(scene, rung)
        if digest_of(inputs_of(inputs)) == wanted:
            return Way(rung=rung, scene=scene, inputs=inputs)
    return Way(rung=Rung.RESTORE, scene=scene, inputs=inputs_of_rung(scene, Rung.RESTORE))


def _chosen(context: Context, offers: tuple[Offer, ...]) -> Offer:
    """The way a person picked, if it can be gone; else the recommended one."""
    options = {each.option.rung: each for each in offers}
    wanted = options.get(context.run.rung_wanted) if context.run.rung_wanted else None
    if wanted is not None and wanted.option.possible:
        return wanted
    best = recommended([each.option for each in offers])
    if best is None:
        why = "; ".join(f"{TITLES[rung]}: {each.option.why}" for rung, each in options.items())
        raise StepError(f"There is no way back that can be gone now. {why}.", "Take the run over by hand.")
    return options[best.rung]


def _deadline(context: Context) -> tuple[str, ...]:
    run = context.run
    if run.deadline is None or run.deadline_told < PASSED:
        return ()
    return (
        f"⚠️ The plan's rollback deadline passed at {utc(run.deadline)}: since then the application has gone on working "
        "with the new schema, and what it has written counts in what is lost above.",
    )
