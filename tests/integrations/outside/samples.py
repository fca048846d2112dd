"""Notices as the core makes them, for the contracts of the outside systems."""

from bot.outside import (
    Alarm,
    AlarmOver,
    Audience,
    Body,
    Change,
    Condition,
    Mail,
    Maintenance,
    Medium,
    Notice,
    Phase,
    Quiet,
    QuietOver,
)

T0 = 1_795_000_000.0
RUN = "m-4f7k2q"
_MEDIA = {Maintenance: Medium.STATUS_PAGE, Mail: Medium.MAIL}


def notice(body: Body, number: int = 1, run: str = RUN) -> Notice:
    """The notice of event ``number``."""
    medium = _MEDIA.get(type(body), Medium.PAGER)
    key = f"{run}:{number}:{medium}:{type(body).__name__.lower()}"
    return Notice(key=key, run_id=run, target="casework", medium=medium, about="", body=body)


def mail(words: str = "🚨 Database migration starting now\nPurpose: Urgent cases first", **changes: object) -> Mail:
    """An announcement for everybody."""
    given: dict[str, object] = {
        "subject": f"Database migration: case priority on casework ({RUN})",
        "text": words,
        "audience": (Audience.STAKEHOLDERS, Audience.TEAM),
        "at": T0,
        **changes,
    }
    return Mail(**given)  # type: ignore[arg-type]


def maintenance(
    phase: Phase, words: str, condition: Condition | None = Condition.MAINTENANCE, *, at: float = T0, run: str = RUN
) -> Maintenance:
    """What the page shows."""
    return Maintenance(
        title=f"Database migration ({run})", phase=phase, words=words, condition=condition, starts=T0, ends=T0 + 3600,
        at=at, aloud=phase is Phase.COMPLETED,
    )  # fmt: skip


ALARM = Alarm(
    alert=f"migration/{RUN}/stuck", summary="casework: a migration does not get on", details=(("run", RUN),), at=T0
)
OVER = AlarmOver(alert=ALARM.alert, at=T0 + 60)
CHANGE = Change(summary="Database migration started: case priority on casework", details=(("run", RUN),), at=T0)
QUIET = Quiet(reason=f"Database migration {RUN}", starts=T0, ends=T0 + 3600)
LOUD = QuietOver(at=T0 + 1800)
