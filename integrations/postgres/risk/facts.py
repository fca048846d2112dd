"""What the risk check knows of the real database: read once through an open session, changed by nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from integrations.postgres.connect import Session, rows

FILE = "risk_facts.sql"
OWN = ["pg_catalog", "information_schema", "pg_toast", "migrate_bot"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """``type`` as format_type writes it; ``generated`` is s (stored), v (virtual) or nothing."""

    name: str
    type: str
    not_null: bool = False
    default: str = ""
    identity: str = ""
    generated: str = ""


@dataclass(frozen=True, kw_only=True)
class Relation:
    """``kind`` is pg_class.relkind.  ``rows`` is None when never counted; sizes in bytes, ``bytes`` without indexes."""

    key: str
    kind: str
    rows: int | None = None
    bytes: int = 0
    index_bytes: int = 0
    persistence: str = "p"
    partition: bool = False
    default_partition: bool = False
    owned_by: str = ""
    extension: str = ""
    parents: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Does it hold no row for certain?  A table without a single page does."""
        return self.kind == "r" and self.bytes == 0


@dataclass(frozen=True, kw_only=True)
class Index:
    """``table`` is the key of its relation; ``constraint`` is set when it serves one."""

    key: str
    table: str
    columns: tuple[str, ...] = ()
    unique: bool = False
    primary: bool = False
    valid: bool = True
    constraint: str = ""
    parent: str = ""


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """``kind`` is pg_constraint.contype; ``on_delete`` and ``on_update`` its letters for a foreign key's actions."""

    name: str
    table: str
    kind: str
    columns: tuple[str, ...] = ()
    valid: bool = True
    definition: str = ""
    references: str = ""
    referenced: tuple[str, ...] = ()
    on_delete: str = "a"
    on_update: str = "a"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """``events`` are the letters i, u, d, t."""

    name: str
    table: str
    function: str
    events: str


@dataclass(frozen=True, kw_only=True)
class Type:
    """``kind`` is pg_type.typtype; ``base`` and ``constrained`` belong to a domain."""

    key: str
    kind: str
    base: str = ""
    constrained: bool = False


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of users or extensions; ``source`` is its body."""

    key: str
    language: str
    volatility: str
    source: str
    extension: str = ""
    definition: str = ""


@dataclass(frozen=True, kw_only=True)
class Edge:
    """``user`` goes with ``of`` when that is dropped with CASCADE; names are ``kind schema.name``."""

    of: str
    user: str
    table: str = ""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Who is at work now: statements running in other sessions, the oldest open transaction, who replicates."""

    active: int = 0
    oldest: float = 0.0
    oldest_who: str = ""
    busy: Mapping[str, int] = field(default_factory=dict)  # writes since the statistics began, of each table
    standbys: int = 0
    slots: int = 0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All of it.  ``version`` is server_version_num."""

    read: bool = False  # from a database: only then what is not here is really not there
    version: int = 180000
    timezone: str = "UTC"
    search_path: tuple[str, ...] = ("public",)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    types: tuple[Type, ...] = ()
    functions: tuple[Function, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()  # a table, and the whole CREATE RULE
    edges: tuple[Edge, ...] = ()
    casts: frozenset[tuple[str, str]] = frozenset()  # those that change no byte
    builtins: Mapping[str, str] = field(default_factory=dict)  # PostgreSQL's own functions, with their volatility
    load: Load = field(default_factory=Load)
    missing: tuple[str, ...] = ()  # what could not be found out

    @property
    def major(self) -> int:
        return self.version // 10000


async def read_facts(db: Session) -> Facts:
    """Read the catalogs and statistics of the database; about 20 short queries."""
    settings = dict(_pairs(await rows(db, "settings", file=FILE)))
    columns: dict[str, dict[str, Column]] = {}
    for key, name, kind, required, default, identity, generated in await _texts(db, "columns"):
        columns.setdefault(key, {})[name] = Column(
            name=name, type=kind, not_null=required == "t", default=default, identity=identity, generated=generated
        )
    return Facts(
        read=True,
        version=int(settings["server_version_num"]),
        timezone=settings["timezone"],
        search_path=_path(settings["search_path"], settings["role"]),
        relations=await _relations(db, columns),
        indexes=tuple([_index(each) for each in await _texts(db, "indexes")]),
        constraints=tuple([_constraint(each) for each in await _texts(db, "constraints")]),
        triggers=tuple([Trigger(name=a, table=b, function=c, events=d) for a, b, c, d in await _texts(db, "triggers")]),
        types=tuple([Type(key=a, kind=b, base=c, constrained=d == "t") for a, b, c, d in await _texts(db, "types")]),
        functions=tuple([_function(each) for each in await _texts(db, "functions")]),
        rules=tuple([(each[0], each[1]) for each in await _texts(db, "rules")]),
        edges=tuple([Edge(of=a, user=b, table=c) for a, b, c in await _texts(db, "edges")]),
        casts=frozenset(_pairs(await rows(db, "casts", file=FILE))),
        builtins=dict(_pairs(await rows(db, "builtins", file=FILE))),
        load=await _load(db),
    )  # fmt: skip


async def _texts(db: Session, block: str) -> list[list[str]]:
    """Rows of text; NULL is the empty one."""
    found = await rows(db, block, {"hidden": OWN}, FILE)
    return [["" if value is None else str(value) for value in row] for row in found]


async def _relations(db: Session, columns: Mapping[str, Mapping[str, Column]]) -> dict[str, Relation]:
    found = {}
    for key, kind, count, size, index_size, persistence, partition, default, owned, extension, parents in await _texts(
        db, "relations"
    ):
        found[key] = Relation(
            key=key, kind=kind, rows=int(count) if count and int(count) >= 0 else None, bytes=int(size),
            index_bytes=int(index_size), persistence=persistence, partition=partition == "t",
            default_partition=default == "t", owned_by=owned, extension=extension, parents=_many(parents),
            columns=columns.get(key, {}),
        )  # fmt: skip
    return found


def _index(row: list[str]) -> Index:
    key, table, columns, unique, primary, valid, constraint, parent = row
    return Index(
        key=key, table=table, columns=_many(columns), unique=unique == "t", primary=primary == "t", valid=valid == "t",
        constraint=constraint, parent=parent,
    )  # fmt: skip


def _constraint(row: list[str]) -> Constraint:
    name, table, kind, columns, valid, definition, references, referenced, on_delete, on_update = row
    return Constraint(
        name=name, table=table, kind=kind, columns=_many(columns), valid=valid == "t", definition=definition,
        references=references, referenced=_many(referenced), on_delete=on_delete.strip() or "a",
        on_update=on_update.strip() or "a",
    )  # fmt: skip


def _function(row: list[str]) -> Function:
    key, language, volatility, source, extension, definition = row
    return Function(
        key=key, language=language, volatility=volatility, source=source, extension=extension, definition=definition
    )


async def _load(db: Session) -> Load:
    [[active, oldest, who, standbys, slots]] = await _texts(db, "load")
    busy = {key: int(writes) for key, writes in await _texts(db, "busy")}
    return Load(
        active=int(active), oldest=float(oldest), oldest_who=who, standbys=int(standbys), slots=int(slots), busy=busy
    )


def _pairs(found: Iterable[tuple[object, ...]]) -> list[tuple[str, str]]:
    return [(str(one), str(two)) for one, two in found]


def _many(joined: str) -> tuple[str, ...]:
    """Names joined by the unit separator, which no name holds in practice."""
    return tuple(joined.split("\x1f")) if joined else ()


def _path(setting: str, role: str) -> tuple[str, ...]:
    """The schemas a bare name is looked for in, as a session of psql would."""
    names = [each.strip().strip('"') for each in setting.split(",")]
    return tuple(role if each == "$user" else each for each in names if each)
