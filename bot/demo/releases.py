"""The sample's releases: a folder for each, and ``current``, the link that a deploy moves.

A service is started in the folder that ``current`` leads to at that moment, so a deploy needs no change of the
configuration and no restart of the bot; what runs keeps its own release.
"""

import shutil
from pathlib import Path

from bot.demo.sample_work import FIRST_RELEASE

NEXT_RELEASE = "2.0.0"  # written for the schema after 003_rename_user_name.sql
LINK = "current"


def install(folder: Path, *, fresh: bool) -> None:
    """Both releases under the demo's ``folder``, the first one deployed; what people have deployed stays."""
    if fresh:
        (folder / LINK).unlink(missing_ok=True)
        shutil.rmtree(folder / "releases", ignore_errors=True)
    for release in (FIRST_RELEASE, NEXT_RELEASE):
        _made(folder, release)
    if not (folder / LINK).is_symlink():
        deploy(folder, FIRST_RELEASE)


def deploy(folder: Path, release: str) -> None:
    """What is started next is ``release``; the link is replaced in one step, so it always leads somewhere."""
    _made(folder, release)
    aside = folder / f"{LINK}.new"
    aside.unlink(missing_ok=True)
    aside.symlink_to(Path("releases") / release)
    aside.replace(folder / LINK)


def _made(folder: Path, release: str) -> None:
    made = folder / "releases" / release
    made.mkdir(parents=True, exist_ok=True)
    (made / "release").write_text(f"{release}\n")
