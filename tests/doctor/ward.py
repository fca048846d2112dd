"""Where the doctor practises: every system is there and well, and each case makes some of them ill.

Slack is the local workspace, PostgreSQL a real server, Render, Statuspage and PagerDuty their stand-ins over HTTP,
the mail server a real one over SMTP.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest
from aiohttp import web

from bot.demo import cast
from bot.demo.outside.mail_server import MailServer
from bot.demo.outside.pagerduty import FakePagerDuty
from bot.demo.outside.statuspage import FakeStatuspage
from bot.demo.postgres import EmbeddedPostgres
from bot.demo.render.server import FakeRender
from bot.demo.workspace import Channel, Person, Seed, UserGroup, Workspace
from bot.doctor.findings import Report
from bot.release import release
from bot.wiring import doctor
from tests.integrations.outside.betterstack_server import FakeBetterStack
from tests.integrations.outside.conftest import Certificate
from tests.manifest import scopes

PASSWORD = "doc-s3cret"  # of the roles and logins of these tests
KEYS = {
    "PAGE_KEY": "page-s3cret",
    "STACK_KEY": "stack-s3cret",
    "PD_API_KEY": "pd-s3cret",
    "RENDER_API_KEY": "rnd_s3cret",
    "PD_ROUTING_KEY": "a" * 32,
    "PD_CHANGE_KEY": "b" * 32,
    "MAIL_PASSWORD": PASSWORD,
}
DATABASES = ("casework", "doc_one", "doc_two", "doc_three", "doc_four", "doc_five", "doc_readonly", "doc_staging")
STORES = ("doc_store", "doc_bare", "doc_old")
OUTSIDE, EMPTY, LEFT = "C0OUT0001", "S0EMPTY01", "U0LEFT001"
STRANGER = "U0SAM0001"


def seed() -> Seed:
    """The demo's company with the manifest's scopes, people who may decide nothing, and a channel without the bot."""
    made = cast.seed()
    left = Person(id=LEFT, name="left", real_name="Lea Left", deleted=True)
    sam = Person(id=STRANGER, name="sam", real_name="Sam Elsewhere", is_stranger=True, team_id="T0OTHER01")
    return replace(
        made,
        users=(*made.users, left, sam),
        channels=(*made.channels, Channel(id=OUTSIDE, name="secret", members=(cast.STARTER,))),
        usergroups=(*made.usergroups, UserGroup(id=EMPTY, handle="empty", users=(LEFT,))),
        scopes=scopes(),
        signing_secret="0123456789abcdef0123456789abcdef",
    )


@dataclass(kw_only=True)
class Ward:
    """Everything that is well, and what a case changes of it: the environment, the file, the workspace."""

    folder: Path
    pg: EmbeddedPostgres
    workspace: Workspace
    render: FakeRender
    page: FakeStatuspage
    stack: FakeBetterStack
    pager: FakePagerDuty
    mail: MailServer
    plain_mail: MailServer
    web: str
    certificate: Certificate
    files: dict[str, str] = field(default_factory=dict)  # the targets file of each case

    def dsn(self, database: str, role: str = "doc_owner") -> str:
        return self.pg.dsn(database, user=role, password=PASSWORD)

    def usual(self) -> dict[str, str]:
        """The environment in which all is well."""
        dsns = {f"{name.upper()}_URL": self.dsn(name) for name in DATABASES}
        slack = self.workspace.core.seed
        return {
            "DATABASE_URL": self.dsn("doc_store"),
            "TARGETS_FILE": str(self.folder / "targets.toml"),
            "SLACK__BOT_TOKEN": slack.bot_token,
            "SLACK__APP_TOKEN": slack.app_token,
            "SLACK__BASE_URL": self.workspace.api_url,
            **KEYS,
            **dsns,
        }

    def rewrite(self, case: str) -> None:
        """The file of a case that was played before."""
        self.workspace.core.seed = seed()
        self.write(self.files[case])

    def write(self, *tables: str) -> None:
        (self.folder / "targets.toml").write_text("\n".join(tables))

    async def examined(self, environment: Mapping[str, str]) -> Report:
        """What the doctor says in that environment; an empty value is a variable that is not there."""
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("SLACK__", "DATABASE_URL"))]:
                patch.delenv(name)
            for name, value in environment.items():
                if value:
                    patch.setenv(name, value)
            return await doctor()


def target(
    name: str,
    database: str = "",
    *,
    channel: str = cast.ENGINEERING,
    approvers: str = f'["{cast.APPROVERS_GROUP}", "{cast.STARTER}"]',
    policy: str = f'on_call = ["{cast.ON_CALL_GROUP}"]',
    migrations: str = 'migrations = "migrations"',
    more: str = "",
    tables: str = "",
) -> str:
    """A target in which all is well unless it is changed."""
    return f"""
[targets.{name}]
dsn_env = "{(database or name).upper()}_URL"
channel = "{channel}"
{migrations}
backups = "backups/{name}"
state = "state/{name}"
{more}
[targets.{name}.policy]
approvers = {approvers}
{policy}
{tables}
"""


@asynccontextmanager
async def ward(pg: EmbeddedPostgres, folder: Path, certificate: Certificate) -> AsyncIterator[Ward]:
    """Open for all cases of a module."""
    async with AsyncExitStack() as stack:
        await _databases(pg)
        stack.push_async_callback(_dropped, pg)
        made = Ward(
            folder=folder,
            pg=pg,
            workspace=Workspace(seed()),
            render=FakeRender(key=KEYS["RENDER_API_KEY"]),
            page=FakeStatuspage(key=KEYS["PAGE_KEY"], page="page1", components={"cmp1": "Web"}),
            stack=FakeBetterStack(key=KEYS["STACK_KEY"], page="77", resources=("901",)),
            pager=FakePagerDuty(
                key=KEYS["PD_API_KEY"],
                keys={KEYS["PD_ROUTING_KEY"]: "PBOT001", KEYS["PD_CHANGE_KEY"]: "PAPP001"},
                on_call=({"user": {"id": "PU1", "summary": "Omar"}, "escalation_level": 1, "end": None},),
            ),
            mail=MailServer(login=("bot", PASSWORD), tls=certificate.server()),
            plain_mail=MailServer(),
            web=await _services(stack),
            certificate=certificate,
        )
        for each in (made.workspace, made.render, made.page, made.stack, made.pager, made.mail, made.plain_mail):
            await each.start()
            stack.push_async_callback(each.stop)
        await release(made.dsn("doc_store"))
        await release(made.dsn("doc_old"))
        async with await psycopg.AsyncConnection.connect(made.dsn("doc_old"), autocommit=True) as db:
            await db.execute("ALTER TABLE runs DROP COLUMN deadman_until")
        (folder / "migrations").mkdir()
        (folder / "migrations" / "001_a.sql").write_text("select 1;\n")
        yield made


async def _services(stack: AsyncExitStack) -> str:
    """The services of the target, each answer at its own path."""

    def says(body: object, status: int = 200) -> object:
        async def answer(_request: web.Request) -> web.Response:
            return web.json_response(body, status=status)

        return answer

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>log in</html>", content_type="text/html")

    async def elsewhere(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/well")

    app = web.Application()
    app.router.add_get("/well", says({"status": "healthy", "database": "connected", "latency": 3}))  # type: ignore[arg-type]
    app.router.add_get("/ill", says({"status": "unhealthy", "database": "disconnected"}, 503))  # type: ignore[arg-type]
    app.router.add_get("/metrics", says({"requests": 10, "failed": 0, "p95_ms": 4}))  # type: ignore[arg-type]
    app.router.add_get("/page", page)
    app.router.add_get("/elsewhere", elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _databases(pg: EmbeddedPostgres) -> None:
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        for role, rights in {"doc_owner": "CREATEDB", "doc_poor": "NOCREATEDB"}.items():
            await db.execute(f"CREATE ROLE {role} LOGIN {rights} PASSWORD '{PASSWORD}'".encode())
        await db.execute("GRANT pg_monitor, pg_signal_backend TO doc_owner")
        await db.execute(f"CREATE ROLE doc_few LOGIN CONNECTION LIMIT 8 PASSWORD '{PASSWORD}'".encode())
        for name in (*DATABASES, *STORES):
            await db.execute(f"CREATE DATABASE {name} OWNER doc_owner".encode())
        await db.execute("ALTER DATABASE doc_readonly SET default_transaction_read_only = on")
        await db.execute("GRANT CONNECT ON DATABASE doc_two TO doc_poor")
    async with await psycopg.AsyncConnection.connect(
        pg.dsn("doc_two", user="doc_owner", password=PASSWORD), autocommit=True
    ) as db:
        await db.execute("CREATE TABLE notes (id int)")


async def _dropped(pg: EmbeddedPostgres) -> None:
    async with await psycopg.AsyncConnection.connect(pg.dsn(), autocommit=True) as db:
        for name in (*DATABASES, *STORES):
            await db.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        await db.execute("DROP OWNED BY doc_owner, doc_poor, doc_few")
        await db.execute("DROP ROLE doc_owner, doc_poor, doc_few")
