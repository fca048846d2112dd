"""The rights that a migration is said to need, held against what PostgreSQL really allows: each one is also run."""

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import pytest_asyncio

from bot.runbook.preparation.checklist import Item
from integrations.postgres.proofs import access
from tests.integrations.postgres.proofs.conftest import Looking, said

LAB = (
    "create schema lab",
    "create table lab.mine (id int primary key, n int)",
    "create index mine_n on lab.mine (n)",
    "create table lab.theirs (id int primary key, n int)",
    "create index theirs_n on lab.theirs (n)",
    "create table lab.parts (id int) partition by range (id)",
    "create materialized view lab.sums as select 1 as one",
    "create function lab.f() returns trigger language plpgsql as 'begin return new; end'",
    "alter table lab.mine owner to {role}",
    "grant usage on schema lab to {role}",
    "grant select, insert on lab.theirs to {role}",
    "grant update (n) on lab.theirs to {role}",
    'grant create on database "{database}" to {role}',
)
STATEMENTS = (
    "alter table lab.mine add column x int",
    "alter table lab.mine add column x int unique",
    "alter table lab.mine add unique (n)",
    "alter table lab.mine add constraint c check (n > 0)",
    "alter table lab.mine rename column n to m",
    "alter table lab.mine rename to other",
    "alter index lab.mine_n rename to other_n",
    "alter index lab.theirs_n rename to other_n",
    "create index on lab.mine (n)",
    "drop index lab.mine_n",
    "drop index lab.theirs_n",
    "drop table lab.mine",
    "drop table lab.theirs",
    "alter table lab.theirs add column x int",
    "alter table lab.mine add column t int references lab.theirs",
    "alter table lab.parts attach partition lab.mine for values from (1) to (2)",
    "insert into lab.theirs values (1, 1)",
    "update lab.theirs set n = 1",
    "delete from lab.theirs",
    "with gone as (delete from lab.theirs returning 1) insert into lab.mine select 1, 1 from gone",
    "truncate lab.theirs",
    "truncate lab.mine",
    "create trigger t before insert on lab.theirs for each row execute function lab.f()",
    "create table lab.fresh (id int)",
    "create table fresh (id int)",
    "create view lab.v as select 1 as one",
    "create sequence lab.s",
    "create schema own; create table own.t (id int primary key); create index on own.t (id); drop table own.t",
    "refresh materialized view lab.sums",
    "create temporary table fresh (id int)",
)


@pytest_asyncio.fixture
async def lab(looking: Looking, stranger: str) -> AsyncIterator[Looking]:
    """A role that owns one table of a schema in which it may make nothing."""
    role = psycopg.conninfo.conninfo_to_dict(stranger)["user"]
    await looking.as_superuser(*(each.format(role=role, database=looking.casework.name) for each in LAB))
    looking.connect_as(stranger)
    yield looking
    await looking.as_superuser(f'revoke create on database "{looking.casework.name}" from {role}')


async def allowed(lab: Looking, text: str) -> bool:
    """What the server says; nothing of it stays."""
    async with await psycopg.AsyncConnection.connect(lab.target.dsn) as db:
        try:
            await db.execute(text)  # type: ignore[call-overload]
        except psycopg.errors.InsufficientPrivilege:
            return False
        finally:
            await db.rollback()
    return True


async def test_the_proof_says_what_the_server_says(lab: Looking) -> None:
    """Neither a migration that would be refused is called fine, nor one that would run is refused."""
    wrong = {}
    for number, text in enumerate(STATEMENTS):
        lab.draft = replace(lab.draft, plan=replace(lab.draft.plan, migrations=(), down=()))
        lab.write(f"{number:03}.sql", text + ";")
        found = await lab.at(Item.ACCESS, access.look)
        if found.ok != await allowed(lab, text):
            wrong[text] = said(found)

    assert {} == wrong


@pytest.mark.parametrize("text", [STATEMENTS[0], STATEMENTS[13]])
async def test_the_oracle_itself_tells_them_apart(lab: Looking, text: str) -> None:
    """Of these two the server takes one: a comparison in which all are alike would prove nothing."""
    assert (text == STATEMENTS[0]) is await allowed(lab, text)
