"""Where a copy stands: read in the dump's own snapshot, kept in the manifest, and readable for ever."""

import json
from dataclasses import asdict
from pathlib import Path

import psycopg

from bot.runbook.steps import StepName
from integrations.postgres.baseline import baseline_of, from_json, take_baseline
from integrations.postgres.connect import session
from integrations.postgres.manifest import read_manifest
from integrations.postgres.snapshot import open_snapshot
from tests.integrations.postgres.conftest import Stage


async def test_the_backup_keeps_it(stage: Stage) -> None:
    """The manifest holds the baseline of the dump's own snapshot, with its row counts."""
    outcome = await stage.backed_up()

    manifest, _ = read_manifest(Path(outcome.facts["folder"]))
    base = baseline_of(manifest)

    assert base is not None
    assert (manifest.lsn, manifest.rows) == (base.lsn, base.rows)
    assert base.next >= base.oldest > 0
    assert ((base.filenodes["public.cases"],),) == tuple(
        await stage.ask("select pg_relation_filenode('public.cases')::bigint")
    )
    assert manifest.started[:10] == base.at[:10]


async def test_a_manifest_of_an_earlier_version_still_reads(stage: Stage) -> None:
    """Without the field there is no baseline, and nothing else is different."""
    folder = Path((await stage.backed_up()).facts["folder"])
    values = json.loads((folder / "manifest.json").read_text())
    del values["baseline"]
    (folder / "manifest.json").write_text(json.dumps(values))

    manifest, _ = read_manifest(folder)

    assert None is baseline_of(manifest)
    assert "run-7" == manifest.run


async def test_json_and_back(stage: Stage) -> None:
    """What was written is what is read, and a later version's field does no harm."""
    async with session(stage.target.dsn, "test") as db:
        base = await take_baseline(db)

    read = from_json(json.loads(json.dumps(base.to_json())) | {"more": 1})

    assert base == read
    assert asdict(base) == asdict(read)


async def test_it_is_of_the_open_snapshot(stage: Stage) -> None:
    """A transaction that ends after the snapshot is beyond it, however late the baseline is read."""
    async with open_snapshot(stage.at(StepName.BACKUP)) as snapshot:
        ((xid,),) = await stage.ask("select pg_current_xact_id()::text::bigint")
        base = await take_baseline(snapshot.db, snapshot.name, snapshot.counters)

    assert int(str(xid)) >= base.next or int(str(xid)) in base.open
    assert () == base.parts


async def test_open_transactions_without_savepoints_are_known_as_such(stage: Stage) -> None:
    """PostgreSQL 16 and newer tell how many subtransactions a session has, even to those who are no superusers."""
    async with await psycopg.AsyncConnection.connect(stage.target.dsn) as early:
        await early.execute("update cases set title = 'x' where id = 1")
        await stage.ask("select pg_current_xact_id()")
        async with open_snapshot(stage.at(StepName.BACKUP)) as snapshot:
            base = await take_baseline(snapshot.db, snapshot.name, snapshot.counters)

    assert 1 == len(base.open)
    assert () == base.parts
