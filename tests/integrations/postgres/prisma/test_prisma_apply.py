"""The apply step with real Prisma 6 on real PostgreSQL: its five answers, and what it refuses."""

from dataclasses import replace

import pytest

from bot.ports import StepError
from bot.runbook.run import Database
from bot.runbook.steps import StepName
from integrations.postgres.prisma.apply import ApplyPrisma
from integrations.postgres.verify import Verify
from tests.integrations.postgres.conftest import QUICK
from tests.integrations.postgres.prisma.conftest import ADD, NEW, PrismaStage


async def test_it_describes_runs_verifies_and_settles(stage: PrismaStage) -> None:
    """Every byte is in the digest; Prisma applies; its own list proves it; a second attempt runs nothing."""
    stage.add()
    context = await stage.ready()
    apply = ApplyPrisma(QUICK)
    described = await apply.describe(context)
    assert {f"{NEW}/migration.sql": ADD} == described.attachments
    assert any("prisma migrate deploy" in each for each in described.lines)
    assert any(each.startswith(("Risk:", "⚠️ Risk:")) for each in described.lines)
    assert await apply.check(context) is None

    outcome = await apply.run(context)

    assert f"{NEW}: 2 statements, listed as applied" in outcome.evidence[-1]
    assert (await apply.verify(context, outcome)).ok
    again = await apply.check(replace(context, attempt=2))
    assert again is not None
    assert "settled by _prisma_migrations" in again.evidence[0]
    assert [(True, False)] == await stage.listed()
    assert [] == await stage.ask("select 1 from pg_trigger where tgname = 'migrate_bot_guard'")
    assert [(0,)] == await stage.ask("select count(*) from pg_locks where locktype = 'advisory'")
    verified = await Verify(QUICK).run(stage.at(StepName.VERIFY))
    assert any(f"lists as applied, with their checksums: {NEW}" in each for each in verified.evidence)
    assert any("says that the schema is up to date" in each for each in verified.evidence)


async def test_one_more_byte_is_another_digest(stage: PrismaStage) -> None:
    stage.add()
    await stage.backed_up()
    found = await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))

    stage.add(NEW, ADD + " ")
    later = await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))

    assert [f"file 1 {NEW}"] == [name for name in found.inputs if found.inputs[name] != later.inputs[name]]


async def test_what_is_pending_and_not_planned_is_refused(stage: PrismaStage) -> None:
    """Prisma applies everything pending: an approval of less would be no approval."""
    stage.add()
    stage.add("20250402090000_more", 'ALTER TABLE "tags" ADD COLUMN "colour" TEXT;')
    stage.plan((NEW,))
    await stage.backed_up()

    with pytest.raises(StepError, match="would also apply 20250402090000_more"):
        await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))


async def test_what_is_applied_already_is_refused(stage: PrismaStage) -> None:
    stage.add()
    stage.plan(("20250101090000_init", NEW))
    await stage.backed_up()

    with pytest.raises(StepError, match="20250101090000_init is applied already"):
        await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))


async def test_a_folder_without_its_file_is_refused(stage: PrismaStage) -> None:
    """Status calls it pending, and deploy stops at it (P3015): it is said before."""
    stage.add()
    (stage.migrations / NEW / "migration.sql").unlink()
    await stage.backed_up()

    with pytest.raises(StepError, match="P3015"):
        await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))


async def test_what_status_does_not_see_is_told(stage: PrismaStage) -> None:
    """An edited file, a missing folder, and one that was marked as rolled back: all in the question."""
    stage.add()
    edited = stage.migrations / "20250107090000_notes/migration.sql"
    edited.write_text(edited.read_text() + "-- edited\n")
    (stage.migrations / "20250322090000_rename_label/migration.sql").unlink()
    (stage.migrations / "20250322090000_rename_label").rmdir()
    await stage.ask(
        "insert into _prisma_migrations (id, checksum, migration_name, rolled_back_at) "
        f"values ('x', 'y', '{NEW}', now()) returning 1"
    )
    await stage.backed_up()

    lines = (await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))).lines

    told = [each for each in lines if each.startswith("⚠️ Prisma's list")]
    assert ["20250107090000_notes", "20250322090000_rename_label", NEW] == [each.rpartition(": ")[2] for each in told]


async def test_files_swapped_after_the_approval_are_refused_by_the_database(stage: PrismaStage) -> None:
    """Prisma reads the file anew: the guard on its list lets only the approved bytes run."""
    stage.add()
    context = await stage.ready()
    swap = stage.migrations / NEW / "migration.sql"
    wrapper = stage.target.migrations.parent / "swap.sh"
    assert stage.target.prisma is not None
    wrapper.write_text(
        f'#!/bin/sh\n[ "$2" = deploy ] && echo "DROP TABLE notes;" > "{swap}"\n'
        f'exec {stage.target.prisma.command[0]} "$@"\n'
    )
    wrapper.chmod(0o700)
    target = replace(stage.target, prisma=replace(stage.target.prisma, command=(str(wrapper),)))
    stage.target = target
    context = await stage.approved(ApplyPrisma(QUICK))

    with pytest.raises(StepError) as caught:
        await ApplyPrisma(QUICK).run(context)

    assert "is not what was approved" in caught.value.problem
    assert Database.UNTOUCHED == caught.value.database
    assert [(400,)] == await stage.ask("select count(*) from notes")
    assert [] == await stage.listed()


async def test_drift_since_the_backup_is_refused(stage: PrismaStage) -> None:
    stage.add()
    context = await stage.ready()
    await stage.do("alter table tags add column by_hand int")

    with pytest.raises(StepError, match=r"The schema has changed since the backup: \+ column public.tags.by_hand"):
        await ApplyPrisma(QUICK).run(context)

    assert [] == await stage.listed()


async def test_no_secret_in_any_command_line_or_log(stage: PrismaStage) -> None:
    """The connection goes by the environment; a password that Prisma prints is masked."""
    stage.add()
    await stage.backed_up()
    assert stage.target.prisma is not None
    leak = stage.target.migrations.parent / "leak.sh"
    leak.write_text('#!/bin/sh\necho "$DATABASE_URL $PGPASSWORD $*"\nexit 1\n')
    leak.chmod(0o700)
    stage.target = replace(stage.target, prisma=replace(stage.target.prisma, command=(str(leak),)))
    logged: list[str] = []

    async def log(line: str) -> None:
        logged.append(line)

    context = replace(await stage.approved(ApplyPrisma(QUICK)), log=log)
    with pytest.raises(StepError) as caught:
        await ApplyPrisma(QUICK).run(context)

    password = stage.target.dsn.split(":")[2].split("@")[0]
    assert any("***" in each for each in logged)
    assert not [each for each in [*logged, caught.value.problem, caught.value.advice] if password in each]


async def test_another_database_in_the_schema_is_refused(stage: PrismaStage) -> None:
    """A variable that the bot does not set might lead to another database."""
    stage.add()
    assert stage.target.prisma is not None
    schema = stage.target.prisma.schema
    schema.write_text(schema.read_text().replace('env("DATABASE_URL")', 'env("OTHER_URL")'))
    await stage.backed_up()

    with pytest.raises(StepError, match="takes its url from OTHER_URL"):
        await ApplyPrisma(QUICK).describe(stage.at(StepName.APPLY))
