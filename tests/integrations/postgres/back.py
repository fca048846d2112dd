"""What the tests of the way back do again and again: a failed migration, its approval, and a look at what there is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import Context, Outcome
from bot.runbook.digest import digest_of, inputs_of
from bot.runbook.run import Database, Done, Grant
from bot.runbook.steps import Route, Standby, StepName
from integrations.postgres.apply import Apply
from integrations.postgres.beside import KINDS, Names, Standing, beside, look, maintenance, names_of
from integrations.postgres.catalog import Catalog, read_catalog
from integrations.postgres.connect import session
from integrations.postgres.manifest import run_folder
from integrations.postgres.snapshot import count_rows
from integrations.postgres.standby import Standby as StandbyStep
from integrations.postgres.ways import ladder
from tests.integrations.postgres.conftest import QUICK, Stage

POSITION = {StepName.ANNOUNCE_ROLLBACK: 0, StepName.GO_BACK: 2, StepName.VERIFY_BACK: 3}
BAD = "alter table cases add column court text;\ndelete from case_notes where id % 2 = 0;\n"
GOOD = "alter table cases add column court text;\n"
DOWN = "alter table cases drop column court;\n"


class Crash(Exception):
    """The process is gone here."""


@dataclass(frozen=True, kw_only=True)
class Backstage:
    """A stage on the way back, with the server behind it."""

    stage: Stage
    pg: EmbeddedPostgres
    casework: Casework

    @property
    def names(self) -> Names:
        return names_of(self.stage.at(StepName.BACKUP))

    def at(self, step: StepName, attempt: int = 1) -> Context:
        """The context of a step of the rollback."""
        context = self.stage.at(StepName.BACKUP)
        self.stage.run = replace(
            self.stage.run,
            route=Route.ROLLBACK,
            position=POSITION[step],
            attempt=attempt,
            database_before=Database.CHANGED,
        )
        return replace(context, run=self.stage.run, attempt=attempt)

    def forward(self, step: StepName, attempt: int = 1) -> Context:
        """The context of a step of the way forward."""
        context, run = self.stage.at(StepName.BACKUP), replace(self.stage.run, route=Route.FORWARD)
        position = [each.name for each in run.steps].index(step)
        self.stage.run = replace(run, position=position, attempt=attempt)
        return replace(context, run=self.stage.run, attempt=attempt)

    def plan(self, **changes: object) -> None:
        """Change the plan."""
        self.stage.run = replace(self.stage.run, plan=replace(self.stage.run.plan, **changes))  # type: ignore[arg-type]

    async def stand_by(self, kind: Standby) -> Outcome:
        """Make the standby copy and record it, as the engine would."""
        self.plan(standby=kind)
        step, context = StandbyStep(QUICK, patience=0.1), self.forward(StepName.STANDBY)
        outcome = await step.run(context)
        assert (await step.verify(context, outcome)).ok
        self.record(StepName.STANDBY, tuple(outcome.facts.items()))
        return outcome

    async def migrate(self, kind: Standby, *, down: bool = False) -> None:
        """Back up, make the standby copy, apply; with a DOWN script if wanted.  The services stay stopped."""
        self.stage.write("001_bad.sql", GOOD if down else BAD)
        if down:
            (self.stage.target.migrations / "001_bad.down.sql").write_text(DOWN)
            self.plan(down=("001_bad.down.sql",))
        self.plan(standby=kind)
        await self.stage.backed_up()
        if kind is not Standby.NONE:
            await self.stand_by(kind)
        await self.apply()

    async def apply(self) -> None:
        """Apply the plan as approved and record it."""
        if not self.stage.run.plan.migrations:
            self.stage.write("001_bad.sql", BAD)
        described = await Apply(QUICK).describe(self.forward(StepName.APPLY))
        grant = Grant(step=StepName.APPLY, digest=digest_of(inputs_of(described.inputs)), approvals=(), at=0.0)
        self.stage.run = replace(self.stage.run, grant=grant)
        outcome = await Apply(QUICK).run(self.forward(StepName.APPLY))
        self.record(StepName.APPLY, tuple(outcome.facts.items()))
        self.stage.run = replace(self.stage.run, grant=None)

    async def approved(self, attempt: int = 1) -> Context:
        """Describe the way back anew and grant exactly that; the context to go it with."""
        self.stage.run = replace(self.stage.run, grant=None)
        described = await ladder(self.at(StepName.ANNOUNCE_ROLLBACK), QUICK)
        digest = digest_of(inputs_of(described.inputs))
        grant = Grant(step=StepName.ANNOUNCE_ROLLBACK, digest=digest, approvals=(), at=0.0)
        way = next(each for each in described.options if each.rung is described.rung)
        self.stage.run = replace(self.stage.run, grant=grant, way=way)
        return self.at(StepName.GO_BACK, attempt)

    def record(self, step: StepName, facts: Sequence[tuple[str, str]]) -> None:
        """Note a step as finished, as the engine would."""
        done = Done(step=step, began_at=0, ended_at=1, facts=tuple(facts))
        self.stage.run = replace(self.stage.run, done=(*self.stage.run.done, done))

    async def backup_and_break(self) -> tuple[Catalog, dict[str, tuple[int, bool]]]:
        """Back up, apply a migration that commits, write some more; schema and counts as they were at the backup."""
        self.stage.write("001_bad.sql", BAD)
        await self.stage.backed_up()
        before = await self.content()
        await Apply(QUICK).run(await self.stage.approved())
        await self.as_superuser("insert into case_notes (case_id, author_id, body) values (1, 1, 'late')")
        assert before != await self.content()
        return before

    async def content(self, database: str = "") -> tuple[Catalog, dict[str, tuple[int, bool]]]:
        """Schema and row counts, as its owner sees them."""
        dsn = psycopg.conninfo.make_conninfo(self.stage.target.dsn, dbname=database or self.names.live)
        async with session(dsn, "test") as db:
            return await read_catalog(db), await count_rows(db, QUICK)

    async def standing(self) -> Standing:
        async with maintenance(self.stage.at(StepName.BACKUP)) as db:
            return await look(db, self.names)

    async def as_superuser(self, query: str, database: str = "") -> list[tuple[object, ...]]:
        """Ask or do something as nobody of the bot may."""
        async with await psycopg.AsyncConnection.connect(
            self.pg.dsn(database or self.names.live), autocommit=True
        ) as db:
            done = await db.execute(query.encode())
            return await done.fetchall() if done.description else []

    async def remove(self) -> None:
        """Drop what the way back left beside, so that the next test's server is clean."""
        context = self.stage.at(StepName.BACKUP)
        for name in (beside(context, each) for each in KINDS):
            await self.as_superuser(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)).as_string(), "postgres"
            )

    def spoil_backup(self) -> str:
        """Change one byte of the dump; the file's name."""
        folder = run_folder(self.stage.target.backups.absolute(), self.stage.run.id)
        names = json.loads((folder / "manifest.json").read_text())["files"]
        victim = max((folder / name for name in names), key=lambda each: each.stat().st_size)
        data = bytearray(victim.read_bytes())
        data[-1] ^= 1
        victim.write_bytes(data)
        return victim.name
