"""What can still be done about a migration that is completed: the kept copies, and the way by hand for each."""

from bot.runbook.announcements import kept
from bot.runbook.run import Run
from bot.runbook.steps import StepName
from bot.views.blocks import Glyph
from bot.views.text import clip, said

_LENGTH = 4000  # characters of one message


def still_possible(run: Run) -> str:
    """Best first; each says what it costs, because people have worked with the new schema since."""
    ways = [*_down(run), *_standby(run), *_backup(run)]
    head = (
        f"{Glyph.ATTENTION} Run {said(run.id, 60)} is completed, so the bot no longer goes back by itself. Everything"
        " written since is at stake: what can still be done, by hand, the least loss first:"
    )
    lines = [f"{number}. {each}" for number, each in enumerate(ways, 1)] or ["• nothing of this run is kept any more"]
    rest = (
        "First stop the services, and make a backup of the database as it is. What was kept stays until"
        f" `/migrate cleanup {said(run.id, 60)}`: "
        f"{said('; '.join(kept(run)) or 'no database was kept', 400)}. `/migrate report` has the facts."
    )
    return clip("\n".join([head, *lines, rest]), _LENGTH)


def _down(run: Run) -> list[str]:
    """A DOWN migration is a migration: planned, rehearsed and approved like any other."""
    if not run.plan.down:
        return []
    files = said(", ".join(run.plan.down), 300)
    return [f"Plan the DOWN script as a migration of its own, with rehearsal and backup: {files} (`/migrate plan`)."]


def _standby(run: Run) -> list[str]:
    name = run.fact(StepName.STANDBY, "standby_database")
    if not name:
        return []
    return [
        f"The standby copy {said(name, 120)} holds the state from before the migration. Compare and copy rows from it;"
        " or rename it into place, which loses everything written since."
    ]


def _backup(run: Run) -> list[str]:
    folder = run.fact(StepName.BACKUP, "folder")
    if not folder:
        return []
    return [
        f"The backup in {said(folder, 200)}: restore it beside the database with pg_restore (runbook “Rollback Steps”,"
        " 3, option B), and copy back what is needed; switched into place it loses everything written since."
    ]
