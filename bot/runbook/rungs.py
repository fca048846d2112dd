"""The ladder: every way back, least loss first, what each costs, and what approvers have agreed to beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from bot.runbook.samples import Verdict
from bot.runbook.wording import counted, duration


class Rung(StrEnum):
    """One way back.  The order is the ladder: the first that is possible loses the least."""

    NOTHING = "nothing"  # the migration is proven not to be in: only restart
    DOWN = "down"  # the DOWN scripts given with the plan, rehearsed beforehand
    SWITCH = "switch"  # rename the standby copy into place
    RESTORE = "restore"  # restore the backup beside, then the same switch
    PLATFORM = "platform"  # point-in-time recovery by the hosting platform, in people's hands


TITLES: dict[Rung, str] = {
    Rung.NOTHING: "Nothing happened: only restart",
    Rung.DOWN: "Run the DOWN migration",
    Rung.SWITCH: "Switch to the standby copy",
    Rung.RESTORE: "Restore the backup beside, then switch",
    Rung.PLATFORM: "Point-in-time recovery on the platform",
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One rung as it stands now.

    ``seconds`` is the expected downtime of the database, ``rows`` how many rows would be lost; ``None`` is *unknown*,
    never zero, and ``estimated`` rows are not proven.  ``basis`` says where the seconds come from, ``loses`` what is
    lost in words, ``why`` what makes the rung impossible.
    """

    rung: Rung
    possible: bool
    why: str = ""
    seconds: float | None = None
    basis: str = ""
    rows: int | None = None
    loses: str = ""
    estimated: bool = False

    @property
    def title(self) -> str:
        return TITLES[self.rung]

    @property
    def cost(self) -> str:
        """Downtime and loss in one line, as far as they are known."""
        time = "for a time that is not known" if self.seconds is None else f"for about {duration(max(self.seconds, 1))}"
        return f"down {time}{f' ({self.basis})' if self.basis else ''}; loses {self.loss}"

    @property
    def loss(self) -> str:
        """What is lost, in words; "about" where the number is not proven."""
        return self.loses or lost(self.rows, estimated=self.estimated)


def lost(rows: int | None, *, estimated: bool = False) -> str:
    """So many rows, in words."""
    if rows is None:
        return "a number of rows that is not known"
    if not rows:
        return "nothing, as far as can be told" if estimated else "nothing"
    return f"{'about ' if estimated else ''}{counted(rows, 'row')}"


def recommended(options: Sequence[Option]) -> Option | None:
    """The possible rung that loses the fewest rows; the ladder's order decides between equals.

    What is not known counts as more than any number.  A way only people can go is never recommended over one the bot
    can go by itself.  The standby copy is made from the backup or after it, so it never loses more than a restore:
    where the figures say otherwise, they were only counted at different moments of a database that is written to.
    """
    order = list(Rung)
    able = [each for each in options if each.possible]
    rows = {each.rung: each.rows if each.rows is not None else inf for each in able}
    if rows.get(Rung.SWITCH, inf) < inf:
        rows[Rung.SWITCH] = min(rows[Rung.SWITCH], rows.get(Rung.RESTORE, inf))
    return min(
        able, key=lambda each: (each.rung is Rung.PLATFORM, rows[each.rung], order.index(each.rung)), default=None
    )


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What approvers sign before the migration: how far the bot may go back without asking.

    ``rows`` is the most that may be lost, ``minutes`` the longest measured way back.
    """

    rows: int
    minutes: float

    @property
    def words(self) -> str:
        """The agreement in one sentence."""
        return (
            f"If a rollback criterion of the runbook is proven, at most {counted(self.rows, 'row')} would be lost and "
            f"the measured way back takes at most {duration(self.minutes * 60)}, the bot goes back without asking."
        )

    def covers(self, option: Option) -> Verdict:
        """Is going back by ``option`` inside what was signed?  What is not known is outside."""
        if option.rung is Rung.PLATFORM or not option.possible:
            return Verdict(ok=False, reason="the bot cannot go that way by itself")
        if option.rung is Rung.DOWN and option.loses:
            return Verdict(ok=False, reason=f"it would lose {option.loses}, which no number of rows says")
        words = lost(option.rows, estimated=option.estimated)
        if option.rows is None or option.rows > self.rows:
            return Verdict(ok=False, reason=f"it would lose {words}, more than the {self.rows} agreed to")
        if option.seconds is None or option.seconds > self.minutes * 60:
            took = "a time that is not known" if option.seconds is None else duration(option.seconds)
            return Verdict(ok=False, reason=f"it would take {took}, more than the {duration(self.minutes * 60)} agreed")
        least = duration(max(option.seconds, 1))
        return Verdict(ok=True, reason=f"it loses {words} and takes about {least}")
