"""Everything a database is besides its rows survives the way back, on the newest server and on an older one."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.demo import casework as sample
from bot.demo.casework import APP, Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.rungs import Rung
from bot.runbook.steps import Standby, StepName
from integrations.postgres.go_back import GoBack
from integrations.postgres.verify_back import VerifyBack
from tests.conftest import PASSWORDS
from tests.integrations.postgres.back import Backstage
from tests.integrations.postgres.conftest import QUICK, Stage
from tests.integrations.postgres.elder import elder

#: What the sample does not have: settings, rights, policies, comments and more, each of which a careless copy loses.
RICH = (
    "create extension pg_trgm; create schema reports authorization casework_owner",
    'alter database "{live}" set search_path to "$user", public, reports',
    "alter database \"{live}\" set statement_timeout to '71s'",
    "alter role casework_owner in database \"{live}\" set work_mem to '5MB'",
    'revoke all on database "{live}" from public',
    f'grant connect, temporary on database "{{live}}" to {APP} with grant option',
    'alter database "{live}" connection limit 33',
    "comment on database \"{live}\" is 'Production, it''s ours'",
    "comment on table cases is 'One row a case'; comment on column cases.title is 'As filed'",
    f"alter default privileges for role casework_owner in schema public grant select on tables to {APP}",
    f"alter default privileges for role casework_owner grant execute on functions to {APP}",
    "alter table cases enable row level security",
    f"create policy seen on cases for select to {APP}, casework_owner using (id > 0)",
    f"grant select (id, title) on cases to {APP}; grant update (title) on cases to {APP}",
    "set role casework_owner; "
    "create function reports.total() returns bigint language sql security definer as 'select 1'",
    f"grant execute on function reports.total() to {APP}",
    "set role casework_owner; "
    "create table reports.monthly (id bigint generated always as identity primary key, at date)",
    "insert into reports.monthly (at) select '2026-01-01' from generate_series(1, 41)",
    "alter table reports.monthly set (fillfactor = 70)",
    "set role casework_owner; alter table reports.monthly alter column at set statistics 321; "
    "create statistics reports.both on id, at "
    "from reports.monthly",
    "select setval('case_number_seq', 4711)",
    "set role casework_owner; "
    "create type reports.mood as enum ('ok', 'not'); create domain reports.year as int check (value > 1900)",
)
ASKED = (
    "select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datlocprovider::text, datcollate, datctype, "
    "datconnlimit, datistemplate, datallowconn, (select array_agg(x::text order by x::text) from unnest(datacl) x), "
    "shobj_description(oid, 'pg_database') from pg_database where datname = current_database()",
    "select setrole::regrole::text, setconfig from pg_db_role_setting s join pg_database d "
    "on d.oid = s.setdatabase where datname = current_database() order by 1",
    "select extname::text, extversion, extnamespace::regnamespace::text from pg_extension order by 1",
    "select n.nspname, relname, relkind::text, pg_get_userbyid(relowner), relacl::text, relrowsecurity, "
    "relforcerowsecurity, reloptions from pg_class c join pg_namespace n on n.oid = relnamespace "
    "where n.nspname in ('public', 'reports') order by 1, 2",
    "select attrelid::regclass::text, attname, attacl::text, nullif(attstattarget, -1) from pg_attribute "
    "where attnum > 0 and attrelid::regclass::text ~ '^(cases|reports)' order by 1, 2",
    "select nspname, pg_get_userbyid(nspowner), nspacl::text from pg_namespace where nspname !~ '^pg_' "
    "and nspname <> 'migrate_bot' order by 1",
    "select pg_get_userbyid(defaclrole), defaclnamespace::regnamespace::text, defaclobjtype::text, defaclacl::text "
    "from pg_default_acl order by 1, 2, 3",
    "select polname, polrelid::regclass::text, polcmd::text, "
    "(select array_agg(x::regrole::text order by x::regrole::text) from unnest(polroles) x), "
    "pg_get_expr(polqual, polrelid) from pg_policy order by 1",
    "select objoid::regclass::text, objsubid, description from pg_description "
    "where classoid = 'pg_class'::regclass and objoid >= 16384 order by 1, 2",
    "select schemaname, sequencename, last_value from pg_sequences order by 1, 2",
    "select oid::regprocedure::text, pg_get_userbyid(proowner), prosecdef, proacl::text from pg_proc "
    "where pronamespace = 'reports'::regnamespace order by 1",
    "select stxname, pg_get_statisticsobjdef(oid) from pg_statistic_ext order by 1",
    "select typname, pg_get_userbyid(typowner) from pg_type where typnamespace = 'reports'::regnamespace order by 1",
)


@pytest_asyncio.fixture(params=[18, 15])
async def back(
    request: pytest.FixtureRequest, stage: Stage, casework: Casework, casework_template: EmbeddedPostgres
) -> AsyncIterator[Backstage]:
    """The same stage on either server."""
    if request.param == 18:
        made = Backstage(stage=stage, pg=casework_template, casework=casework)
        yield made
        await made.remove()
        return
    async with elder() as server:
        copied = await sample.copy_template(server, PASSWORDS, casework.name)
        made = Backstage(
            stage=Stage(target=replace(stage.target, dsn=copied.owner_dsn), run=stage.run), pg=server, casework=copied
        )
        yield made


async def everything(back: Backstage) -> list[list[tuple[object, ...]]]:
    return [await back.as_superuser(query) for query in ASKED]


@pytest.mark.parametrize(
    ("kind", "rung"),
    [(Standby.TEMPLATE, Rung.SWITCH), (Standby.RESTORE, Rung.SWITCH), (Standby.NONE, Rung.RESTORE)],
)
async def test_everything_around_the_rows_survives(back: Backstage, kind: Standby, rung: Rung) -> None:
    """Owners, grants, default privileges, settings, extensions, sequences, comments, row security: all as before."""
    for statement in RICH:
        await back.as_superuser(statement.format(live=back.names.live))
    before = await everything(back)
    rows = await back.content()
    await back.migrate(kind)
    # what the migration changes around the database is taken back with it
    await back.as_superuser(f"alter database \"{back.names.live}\" set work_mem to '64MB'")
    await back.as_superuser(f'grant create on database "{back.names.live}" to {APP}')
    assert before != await everything(back)

    context = await back.approved()
    assert context.run.way is not None
    assert rung == context.run.way.rung
    outcome = await GoBack(QUICK).run(context)

    assert (await GoBack(QUICK).verify(context, outcome)).ok
    for query, was, now in zip(ASKED, before, await everything(back), strict=True):
        assert was == now, query
    assert rows == await back.content()
    back.record(StepName.GO_BACK, tuple(outcome.facts.items()))
    verified = await VerifyBack(QUICK).run(back.at(StepName.VERIFY_BACK))
    assert not any(each.startswith("❌") for each in verified.evidence)
