"""What one statement does, gathered while its parse tree is read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from integrations.postgres.risk.fold import HOLE
from integrations.postgres.risk.model import UNKNOWN, Lock
from integrations.postgres.risk.world import Known, World, stand_in


@dataclass(kw_only=True)
class Effects:
    """Filled by the judges; relations the migration itself made are left out: nobody else can see them yet."""

    world: World
    judge: Callable[["Effects", Any], None]  # of a statement found inside this one
    calls: Callable[["Effects", str, str], None]  # of a function it runs: its name, and what to call it
    does: list[str] = field(default_factory=list)
    locks: dict[str, Lock] = field(default_factory=dict)
    rewrites: dict[str, str] = field(default_factory=dict)
    scans: dict[str, str] = field(default_factory=dict)
    emptied: set[str] = field(default_factory=set)  # a new file, but nothing to copy into it
    builds: dict[str, int] = field(default_factory=dict)  # indexes built, of each table
    touched: dict[str, float] = field(default_factory=dict)  # share of a table's rows that is written
    destroys: list[str] = field(default_factory=list)
    extents: dict[str, str] = field(default_factory=dict)  # how much of it there is now: no part of what is destroyed
    unjudged: list[str] = field(default_factory=list)
    irreversible: list[str] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)  # for services that run
    fails: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    safer: list[str] = field(default_factory=list)
    depth: int = 0
    calling: tuple[str, ...] = ()

    def lock(self, known: Known, mode: Lock) -> None:
        """The strongest lock counts."""
        if not known.fresh and known.kind != "S":
            self.locks[known.origin] = max(mode, self.locks.get(known.origin, mode))

    def lock_all(self, many: Iterable[Known], mode: Lock) -> None:
        for each in many:
            self.lock(each, mode)

    def rewrite(self, known: Known, why: str) -> None:
        """Rows are written anew into another file, indexes with them.  What has no rows of its own is not."""
        if not known.fresh and known.kind not in "pvS":
            self.rewrites.setdefault(known.origin, why)

    def scan(self, known: Known, why: str) -> None:
        """All rows are read."""
        if not known.fresh and known.kind not in "pvSf":
            self.scans.setdefault(known.origin, why)

    def build(self, known: Known, why: str) -> None:
        """An index is built over all rows."""
        self.scan(known, why)
        if not known.fresh and known.kind not in "pv":
            self.builds[known.origin] = self.builds.get(known.origin, 0) + 1

    def destroy(self, what: str, *of: Known, extent: str = "") -> None:
        """Unless everything it concerns was made by this migration."""
        if not of or any(not each.fresh for each in of):
            self.destroys.append(what)
            self.extents[what] = extent

    def undoable_only_by(self, why: str, *of: Known) -> None:
        if not of or any(not each.fresh for each in of):
            self.irreversible.append(why)

    def find(self, name: str, *, missing_ok: bool = False) -> Known | None:
        """The relation, or a stand-in for one that is not there (the statement will fail, or the facts are thin)."""
        if HOLE in name:
            return stand_in(UNKNOWN)
        known = self.world.find(name)
        if known or (missing_ok and self.world.facts.read):
            return known
        why = "is not in the database now" if self.world.facts.read else "could not be looked up"
        self.notes.append(f"{name} {why}")
        return self.world.stranger(name)

    def relation(self, range_var: Any, *, missing_ok: bool = False) -> Known | None:
        from_name = f"{range_var.schemaname}.{range_var.relname}" if range_var.schemaname else range_var.relname
        return self.find(str(from_name), missing_ok=missing_ok)
