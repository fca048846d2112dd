"""The database as the migration would have made it so far: each statement is judged in the light of those before."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from integrations.postgres.risk.facts import Column, Constraint, Facts, Function, Index, Relation, Trigger, Type
from integrations.postgres.risk.model import UNKNOWN


@dataclass(kw_only=True)
class Known:
    """A relation at this point.  ``origin`` is its name before the migration; ``fresh``: nobody else sees it yet."""

    key: str
    origin: str
    kind: str
    fresh: bool = False
    was: Relation | None = None
    columns: dict[str, Column] = field(default_factory=dict)
    new_columns: set[str] = field(default_factory=set)
    parents: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # of a view: what it reads
    filled: bool = False  # a fresh table into which rows were put

    @property
    def empty(self) -> bool:
        """Has it no row for certain?"""
        return not self.filled if self.fresh else bool(self.was and self.was.empty)

    @property
    def partitioned(self) -> bool:
        return self.kind == "p"

    @property
    def shown(self) -> str:
        return self.origin.removeprefix("public.")


class World:
    """Names are looked up as PostgreSQL does; what it has never heard of is None."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.path = list(facts.search_path) or ["public"]
        self.indexes: dict[str, Index] = {each.key: each for each in facts.indexes}
        self.constraints: list[Constraint] = list(facts.constraints)
        self.triggers: list[Trigger] = list(facts.triggers)
        self.rules: list[tuple[str, str, object]] = []  # a table, the event's letter, the statement to run
        self.types: dict[str, Type] = {each.key: each for each in facts.types}
        self.functions: dict[str, list[Function]] = {}
        self.prepared: dict[str, object] = {}
        self.fresh_extensions: set[str] = set()
        self.fresh_schemas: set[str] = set()
        self.strangers: dict[str, set[str]] = {}  # columns added to relations nobody has heard of
        for each in facts.functions:
            self.functions.setdefault(each.key, []).append(each)
        reads = self._reads(facts)
        self.relations: dict[str, Known] = {
            key: Known(
                key=key, origin=key, kind=each.kind, was=each, columns=dict(each.columns), parents=each.parents,
                sources=reads.get(key, ()),
            )
            for key, each in facts.relations.items()
        }  # fmt: skip

    @staticmethod
    def _reads(facts: Facts) -> dict[str, tuple[str, ...]]:
        """What each view reads, from the dependencies of its rule."""
        found: dict[str, set[str]] = {}
        for edge in facts.edges:
            kind, _, name = edge.of.partition(" ")
            if edge.user.startswith("relation ") and kind in ("relation", "column"):
                user = edge.user.partition(" ")[2]
                of = name if kind == "relation" else name.rpartition(".")[0]
                if facts.relations.get(user) and facts.relations[user].kind in "vm" and of in facts.relations:
                    found.setdefault(user, set()).add(of)
        return {key: tuple(sorted(names - {key})) for key, names in found.items()}

    def where(self, name: str) -> str:
        """The key under which a new object of this name would be made."""
        return name if "." in name else f"{self._home()}.{name}"

    def _home(self) -> str:
        known = {key.partition(".")[0] for key in self.relations} | {"public"} | self.fresh_schemas
        return next((each for each in self.path if each in known), self.path[0] if self.path else "public")

    def candidates(self, name: str) -> list[str]:
        """The keys a name may stand for, in the order they are tried."""
        if "." in name:
            return [name]
        return [f"pg_temp.{name}", *(f"{schema}.{name}" for schema in self.path), f"pg_catalog.{name}"]

    def find(self, name: str) -> Known | None:
        return next((self.relations[key] for key in self.candidates(name) if key in self.relations), None)

    def stranger(self, name: str) -> Known:
        """A stand-in that remembers which of its columns the migration itself has added."""
        known = stand_in(name)
        known.new_columns = self.strangers.setdefault(known.key, set())
        return known

    def index(self, name: str) -> Index | None:
        return next((self.indexes[key] for key in self.candidates(name) if key in self.indexes), None)

    def type(self, name: str) -> Type | None:
        return next((self.types[key] for key in self.candidates(name) if key in self.types), None)

    def function(self, name: str) -> list[Function]:
        """All functions a name may mean, whatever their arguments."""
        return next((self.functions[key] for key in self.candidates(name) if key in self.functions), [])

    def add(self, name: str, kind: str, *, temporary: bool = False, columns: dict[str, Column] | None = None) -> Known:
        """A relation made by the migration."""
        key = f"pg_temp.{name.rpartition('.')[2]}" if temporary else self.where(name)
        made = Known(key=key, origin=key, kind=kind, fresh=True, columns=columns or {})
        self.relations[key] = made
        return made

    def children(self, known: Known) -> list[Known]:
        return [each for each in self.relations.values() if known.key in each.parents]

    def family(self, known: Known) -> list[Known]:
        """The relation and all below it: partitions and heirs."""
        found = [known]
        for each in found:
            found += [child for child in self.children(each) if child not in found]
        return found

    def keys_of(self, known: Known) -> Iterator[Constraint]:
        """Its foreign keys."""
        return (each for each in self.constraints if each.kind == "f" and each.table == known.key)

    def keys_to(self, known: Known) -> Iterator[Constraint]:
        """Foreign keys of others, or its own, that point at it."""
        return (each for each in self.constraints if each.kind == "f" and each.references == known.key)

    def views_over(self, known: Known) -> list[Known]:
        """Views and materialized views that read it, directly or not."""
        found: list[Known] = []
        for each in [known, *found]:
            found += [view for view in self.relations.values() if each.key in view.sources and view not in found]
        for each in found:
            found += [view for view in self.relations.values() if each.key in view.sources and view not in found]
        return found

    def forget(self, known: Known) -> None:
        """It is dropped, with all that belongs to it."""
        self.relations.pop(known.key, None)
        self.constraints = [each for each in self.constraints if known.key not in (each.table, each.references)]
        self.triggers = [each for each in self.triggers if each.table != known.key]
        self.indexes = {key: each for key, each in self.indexes.items() if each.table != known.key}

    def rename(self, known: Known, key: str) -> None:
        """It goes by another name from now on; ``origin`` stays."""
        old, known.key = known.key, key
        self.relations.pop(old, None)
        self.relations[key] = known
        for other in self.relations.values():
            other.parents = tuple(key if each == old else each for each in other.parents)
            other.sources = tuple(key if each == old else each for each in other.sources)
        self.constraints = [
            replace(each, table=key if each.table == old else each.table,
                    references=key if each.references == old else each.references)
            for each in self.constraints
        ]  # fmt: skip
        self.indexes = {
            name: replace(each, table=key) if each.table == old else each for name, each in self.indexes.items()
        }
        self.triggers = [replace(each, table=key) if each.table == old else each for each in self.triggers]

    def rename_type(self, name: str, new: str) -> None:
        """Columns keep the type under its new name."""
        found = self.type(name)
        if found is None:
            return
        key = f"{found.key.rpartition('.')[0]}.{new}"
        was = {found.key, found.key.rpartition(".")[2], found.key.removeprefix("public.")}
        self.types.pop(found.key)
        self.types[key] = replace(found, key=key)
        for known in self.relations.values():
            for column in known.columns.values():
                bare = column.type.removesuffix("[]")
                if bare in was:
                    known.columns[column.name] = replace(column, type=key + column.type[len(bare) :])


def stand_in(name: str) -> Known:
    """For a relation nobody has heard of: it must be taken as existing, full and in use."""
    key = name if "." in name or name == UNKNOWN else f"public.{name}"
    return Known(key=key, origin=key, kind="r")
