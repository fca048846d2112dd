"""A plan on a real small database, and what the bot finds when it looks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import psycopg
import pytest
import pytest_asyncio

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.proving.subject import Look, Looked, Subject
from bot.runbook.preparation.checklist import Item
from bot.runbook.preparation.preparation import Draft
from bot.target import Target
from integrations.postgres.proofs.files import read_files
from tests.integrations.postgres.conftest import Stage
from tests.runbook.preparation.people import T0, draft

ADD = "alter table cases add column urgency int;\n"


@dataclass
class Looking:
    """A target with planned files; ``at`` looks at one item."""

    target: Target
    draft: Draft
    casework: Casework
    server: EmbeddedPostgres

    def write(self, name: str, text: str | bytes, *, down: bool = False) -> None:
        data = text.encode() if isinstance(text, str) else text
        (self.target.migrations / name).write_bytes(data)
        plan = self.draft.plan
        more = {"down": (*plan.down, name)} if down else {"migrations": (*plan.migrations, name)}
        self.draft = replace(self.draft, plan=replace(plan, **more))  # type: ignore[arg-type]

    async def subject(self) -> Subject:
        files = await read_files(self.target, self.draft.plan)
        return Subject(plan="p-1", target=self.target, draft=self.draft, files=files, now=T0)

    async def at(self, item: Item, look: Look) -> Looked:
        return (await look(await self.subject()))[item]

    async def file(self, item: Item) -> Looked:
        return (await self.subject()).files.looks[item]

    async def as_superuser(self, *statements: str, database: str = "") -> None:
        dsn = self.server.dsn(database or self.casework.name)
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
            for each in statements:
                await db.execute(each)  # type: ignore[call-overload]

    def connect_as(self, dsn: str) -> None:
        self.target = replace(self.target, dsn=dsn)


@pytest.fixture
def looking(stage: Stage, casework: Casework, casework_template: EmbeddedPostgres) -> Looking:
    """Nothing is planned yet."""
    made = draft()
    plan = replace(made.plan, database=casework.name, migrations=(), down=())
    return Looking(target=stage.target, draft=replace(made, plan=plan), casework=casework, server=casework_template)


@pytest_asyncio.fixture
async def stranger(looking: Looking) -> AsyncIterator[str]:
    """A role that may log in and nothing else; its connection string."""
    role = f"stranger_{looking.casework.name[-8:]}"
    await looking.as_superuser(f"create role {role} login password 'stranger-secret'")
    yield looking.server.dsn(looking.casework.name, user=role, password="stranger-secret")
    await looking.as_superuser(f"drop owned by {role}", f"drop role {role}")


def said(looked: Looked) -> str:
    """All findings as one text."""
    return "\n".join(looked.findings)
