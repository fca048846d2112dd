"""Low, medium or high, and why: by size, by version, by what else happens in the file and on the server."""

from dataclasses import replace

import pytest

from bot.runbook.run import Risk
from integrations.postgres.risk.estimate import Measured
from integrations.postgres.risk.model import UNKNOWN, Lock
from tests.integrations.postgres.risk.judged import BIG, LITTLE, Constraint, Load, judged, single

REWRITE = "alter table orders alter column id type numeric"
NOT_NULL = "alter table orders alter column state set not null"


def test_size_decides() -> None:
    """The same rewrite is high where it takes minutes and medium where nobody would notice."""
    assert single(REWRITE).level is Risk.HIGH
    assert "reads and writes wait on orders for about 4 min" in single(REWRITE).reasons
    assert single(REWRITE, LITTLE).level is Risk.MEDIUM
    assert single(NOT_NULL, LITTLE).level is Risk.LOW


def test_an_estimate_says_what_it_rests_on() -> None:
    """Seconds come with the bytes, rows and pace they were worked out from."""
    found = single("create index on orders (state)")

    assert found.seconds is not None
    assert 60 < found.seconds < 120
    assert found.basis == "orders: 8.0 GB at 250.0 MB/s, 40,000,000 rows into 1 index"
    assert found.safer == ("CREATE INDEX CONCURRENTLY, in a file of its own",)


def test_what_was_measured_on_a_copy_replaces_the_guess() -> None:
    """Level, downtime and basis rest on the measured seconds; other statements keep their estimate."""
    text = f"{REWRITE};\ncreate index on orders (state);"
    measured = Measured(seconds={("001.sql", 1): 2.5}, taken="2025-11-20")

    rewrite, index = judged(text, measured=measured).statements

    assert (2.5, "measured on a copy of 2025-11-20") == (rewrite.seconds, rewrite.basis)
    assert Risk.MEDIUM is rewrite.level and Risk.HIGH is judged(text).statements[0].level
    assert index.basis.startswith("orders: 8.0 GB")
    assert (judged(text, measured=measured).downtime or 0) < (judged(text).downtime or 0)


def test_an_unknown_table_is_not_taken_for_empty() -> None:
    """Where no size is known the risk is at least medium and no number is made up."""
    found = judged("alter table elsewhere alter column a type text")

    assert found.level is Risk.MEDIUM
    assert found.downtime is None
    assert found.statements[0].seconds is None
    assert "elsewhere is not in the database now" in found.statements[0].notes


def test_a_lock_is_held_until_the_end_of_the_file() -> None:
    """All that follows a lock in the same transaction counts as downtime; outside of one it does not."""
    rename = "alter table orders rename column state to status;"
    work = "update orders set total = 1 where id > 5;"

    assert judged(work + rename).downtime == 0.0
    assert (judged(rename + work).downtime or 0) > 100
    assert judged(rename + work).downtime_basis == "from line 1 of 001.sql to its end"


def test_what_the_file_itself_made_harms_nobody() -> None:
    """A table of the same migration is empty and unseen: nothing on it is locked, rewritten or destroyed."""
    found = judged("create table t (id int); create index on t (id); alter table t drop column id; drop table t")

    assert found.level is Risk.LOW
    assert all(not each.locks and not each.destructive for each in found.statements)


@pytest.mark.parametrize(("version", "rewrites"), [(100000, True), (110000, False), (180000, False)])
def test_constant_defaults_are_free_since_11(version: int, rewrites: bool) -> None:
    """ADD COLUMN with a constant default writes every row only before PostgreSQL 11."""
    facts = replace(BIG, version=version)

    assert bool(single("alter table orders add column n int default 0", facts).rewrites) is rewrites
    assert single("alter table orders add column u uuid default gen_random_uuid()", facts).rewrites


@pytest.mark.parametrize(("version", "scans"), [(110000, True), (120000, False)])
def test_a_valid_check_proves_not_null_since_12(version: int, scans: bool) -> None:
    """SET NOT NULL reads no row where a valid CHECK says the same, from PostgreSQL 12 on."""
    check = Constraint(name="c", table="public.orders", kind="c", definition="CHECK ((state IS NOT NULL))")

    assert bool(single(NOT_NULL, replace(BIG, version=version, constraints=(check,))).scans) is scans
    assert single(NOT_NULL, replace(BIG, constraints=(replace(check, valid=False),))).scans
    either = replace(check, definition="CHECK (((state IS NOT NULL) OR (id > 0)))")
    assert single(NOT_NULL, replace(BIG, constraints=(either,))).scans


def test_time_zones_cost_a_rewrite_outside_utc() -> None:
    """timestamp to timestamptz changes no byte only while the server's time zone is UTC."""
    change = "alter table orders alter column seen type timestamptz"

    assert not single(change).rewrites
    assert single(change, replace(BIG, timezone="Europe/Zurich")).rewrites


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ("total type numeric(12,2)", ""), ("total type numeric(10,1)", "decimals are rounded"),
        ("total type int", "decimals are rounded"), ("state type varchar(9)", ""),
        ("state type varchar(9) using state::varchar(9)", "longer values are cut"),
        ("state type jsonb using state::jsonb", ""), ("seen type date", "only the day is kept"),
        ("state type text using 'x'", "an expression nobody can judge"),
    ],
)  # fmt: skip
def test_types_that_lose_something(change: str, lost: str) -> None:
    """A change of type is destructive where values are cut or rounded without an error, and only there."""
    found = single(f"alter table orders alter column {change}")

    assert found.destructive is bool(lost)
    assert lost in " ".join(found.destroys)


def test_what_does_not_parse_counts_as_the_worst() -> None:
    """Unknown syntax is high and destructive, and says that it could not be judged."""
    found = judged("frobnicate orders", trouble="syntax error")

    assert found.level is Risk.HIGH
    assert found.destructive
    assert found.statements[0].locks == {UNKNOWN: Lock.ACCESS_EXCLUSIVE}
    assert "cannot be judged" in found.reasons[0]


def test_an_old_transaction_raises_the_risk() -> None:
    """A lock that will queue behind somebody's long transaction is a reason of its own."""
    facts = replace(BIG, load=Load(oldest=600.0, oldest_who="report"))
    quick = "alter table orders add column n int"

    assert single(quick).level is Risk.LOW
    assert single(quick, facts).level is Risk.MEDIUM
    assert "a transaction of report is open for about 10 min" in single(quick, facts).reasons[0]


def test_emptying_is_quick() -> None:
    """TRUNCATE is high for what it destroys, not for any time it took."""
    found = single("truncate orders")

    assert found.reasons == ("destroys all rows of orders",)
    assert found.seconds == 0.0


def test_names_that_services_use() -> None:
    """A rename is quick, but breaks those who run; the way to do it in two steps is named."""
    found = single("alter table orders rename to purchases")

    assert found.level is Risk.MEDIUM
    assert "view under the old name" in found.safer[0]
    assert found.reversible


def test_outside_a_transaction_is_said() -> None:
    """What leaves something half done when it fails is no part of a transaction."""
    found = single("create index concurrently i on orders (state)")

    assert not found.transaction_safe
    assert found.strongest is Lock.SHARE_UPDATE_EXCLUSIVE
    assert found.level is Risk.MEDIUM
