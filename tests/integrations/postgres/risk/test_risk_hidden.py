"""Nothing destructive hides in code, in texts that are run, or behind a condition that is always true."""

from dataclasses import replace

import pytest

from bot.runbook.run import Risk
from tests.integrations.postgres.risk.judged import BIG, Function, judged, single


@pytest.mark.parametrize(
    "body",
    [
        "execute 'drop ' || 'table orders'",
        "execute format('truncate %I', 'orders')",
        "execute format('drop table %I', tg_argv[0])",
        "execute 'delete from ' || quote_ident(current_user)",
        "if false then null; else delete from orders; end if",
        "begin null; exception when others then delete from orders; end",
        "for i in 1..3 loop update orders set state = 'x'; end loop",
        "execute $q$do $i$ begin drop table orders; end $i$$q$",
        "with d as (delete from orders returning id) insert into orders select id from d",
    ],
)
def test_code_is_looked_into(body: str) -> None:
    """Static and dynamic SQL of a DO block is judged as if it stood in the file."""
    found = single(f"do $outer$ begin {body}; end $outer$")

    assert found.destroys
    assert found.level is Risk.HIGH


@pytest.mark.parametrize(
    "text",
    [
        "do $$ declare q text; begin select said into q from notes; execute q; end $$",
        "do $$ begin execute convert_from(decode('00', 'hex'), 'UTF8'); end $$",
        "do language plpython3u $$ plpy.execute('drop table orders') $$",
        "select dblink_exec('dbname=x', 'drop table orders')",
        "select nobody_knows_this()",
        "execute prepared_elsewhere",
        "update pg_catalog.pg_class set relname = 'x'",
        "copy orders from program 'curl x'",
    ],
)
def test_what_nobody_can_know_is_said(text: str) -> None:
    """It counts as high and destructive, in so many words."""
    found = single(text)

    assert found.unjudged
    assert found.destructive
    assert found.level is Risk.HIGH


@pytest.mark.parametrize(
    "text",
    [
        "do $$ begin raise notice 'drop table orders'; end $$",
        "comment on table orders is 'delete from orders'",
        "insert into orders (id, state) values (1, 'truncate orders')",
        "-- drop table orders\nselect count(*) from orders",
        "create function f() returns void language plpgsql as $$ begin delete from orders; end $$",
        "do $$ declare t text; begin foreach t in array array['a'] loop execute format('create table %I ()', t); "
        "end loop; end $$",
    ],
)
def test_words_in_texts_are_only_words(text: str) -> None:
    """Literals, comments and functions that nobody calls destroy nothing."""
    assert not single(text).destructive


@pytest.mark.parametrize("where", ["", "where true", "where 1 = 1", "where id = id", "where id is not null",
                                   "where id > 5 or true", "where exists (select 1)"])  # fmt: skip
def test_conditions_that_choose_nothing(where: str) -> None:
    """An UPDATE whose condition is always or never true of all rows overwrites all of them."""
    assert single(f"update orders set state = 'x' {where}").destroys
    assert single(f"delete from orders {where}").destroys == ("all rows of orders",)


@pytest.mark.parametrize(
    "text",
    [
        "update orders set state = 'x' where id = 5",
        "update orders set state = coalesce(state, '')",
        "alter table orders add column n int; update orders set n = 1",
    ],
)
def test_updates_that_lose_nothing_whole(text: str) -> None:
    """Chosen rows, kept values and new columns are no loss of a column."""
    assert not judged(text).destructive


def test_functions_of_the_database_are_read() -> None:
    """Calling a function runs its body, through other functions too; one that may not write is harmless."""
    source = "begin delete from orders; end"
    head = "create function {}() returns void language plpgsql as $$ {} $$"
    made = head.format("wipe", source)
    wipe = Function(key="public.wipe", language="plpgsql", volatility="v", source=source, definition=made)
    outer = "begin perform wipe(); end"
    made = head.format("outer_one", outer)
    call = replace(wipe, key="public.outer_one", source=outer, definition=made)
    facts = replace(BIG, functions=(wipe, call))

    assert single("select outer_one()", facts).destroys == ("all rows of orders",)
    assert not single("select wipe()", replace(BIG, functions=(replace(wipe, volatility="s"),))).destructive
    assert single("select wipe()", replace(BIG, functions=(replace(wipe, language="plv8"),))).unjudged


def test_a_function_that_calls_itself_ends() -> None:
    """Recursion is followed once."""
    body = "begin perform f(); delete from orders; end"

    assert single(f"create function f() returns void language plpgsql as $$ {body} $$; select f()").destroys
