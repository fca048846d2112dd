"""What of the checklist is not met, sorted by who can do something about it."""

from collections.abc import Mapping

from bot.runbook.preparation.checklist import LINES, Item, Shown
from bot.runbook.preparation.gate import unmet
from bot.runbook.preparation.preparation import Moment, Preparation
from bot.runbook.preparation.standing import Standing, Status, tickable
from bot.views.text import said

REHEARSED = (Item.LOCAL, Item.PERFORMANCE, Item.BACKUP_VERIFIED, Item.ROLLBACK_TESTED, Item.DOWN)
ANNOUNCED = (Item.ANNOUNCED, Item.NOTIFIED)
MENDED = "To be mended, or waived by two people"
LOOKED = "For the bot, which is still looking"


def by_whom(p: Preparation) -> Mapping[str, tuple[Status, ...]]:
    """The items that are not met under the words that say who can show them, in the checklist's order."""
    found: dict[str, tuple[Status, ...]] = {}
    for each in unmet(p):
        whose = whose_turn(p, each)
        found[whose] = (*found.get(whose, ()), each)
    return found


def whose_turn(p: Preparation, status: Status) -> str:
    """Who can show this item to be true."""
    shown = LINES[status.item].shown
    if status.waiting:
        return "For a second person, an approver or owner, to agree to the waiver"
    if shown is Shown.REVIEW:
        return f"For another developer than {said(p.author_name, 80)} (Review)"
    if status.item in REHEARSED and p.fresh_drill() is None:
        return "For the bot, by a rehearsal on a copy (Drill)"
    if status.item in ANNOUNCED and Moment.ANNOUNCE not in p.came:
        return "For the bot, with the announcement at T-24h"
    if status.standing is Standing.FAILED:
        return LOOKED if not p.files else MENDED
    if shown is Shown.BOT and p.proof(status.item) is None and not status.why:
        return LOOKED
    return "For people to tick, with a link or a note (Checklist)" if tickable(p, status.item) else "In the plan (Edit)"


def short_of(status: Status) -> str:
    """The item in a line; what was found wrong is said with it."""
    why = f" – {said(status.why[0], 160)}" if status.standing is Standing.FAILED and status.why else ""
    return f"{LINES[status.item].text}{why}"
