"""Shorthand of the risk tests: a database in a few words, and one migration judged against it."""

from dataclasses import replace

from integrations.postgres import statements as st
from integrations.postgres.risk.assess import assess
from integrations.postgres.risk.estimate import Measured
from integrations.postgres.risk.facts import Column, Constraint, Facts, Function, Load, Relation
from integrations.postgres.risk.model import Assessment, StatementRisk
from integrations.postgres.script import Script

ORDERS = Relation(
    key="public.orders", kind="r", rows=40_000_000, bytes=8_000_000_000, index_bytes=2_000_000_000,
    columns={
        "id": Column(name="id", type="bigint", not_null=True),
        "state": Column(name="state", type="text"),
        "total": Column(name="total", type="numeric(10,2)"),
        "seen": Column(name="seen", type="timestamp without time zone"),
    },
)  # fmt: skip
SMALL = replace(ORDERS, rows=50, bytes=8192, index_bytes=16384)
BUILTINS = {"now": "s", "random": "v", "gen_random_uuid": "v", "count": "i", "format": "s"}
BIG = Facts(read=True, relations={"public.orders": ORDERS}, builtins=BUILTINS)
LITTLE = replace(BIG, relations={"public.orders": SMALL})


def judged(text: str, facts: Facts = BIG, *, trouble: str = "", measured: Measured | None = None) -> Assessment:
    """One file judged."""
    parsed = () if trouble else st.parse(text)
    return assess([Script(name="001.sql", data=text.encode(), statements=parsed, trouble=trouble)], facts, measured)


def single(text: str, facts: Facts = BIG) -> StatementRisk:
    """The last statement of a file judged."""
    return judged(text, facts).statements[-1]


__all__ = ["BIG", "LITTLE", "Column", "Constraint", "Function", "Load", "Relation", "judged", "single"]
