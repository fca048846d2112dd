"""Packing a dump while it is written: whole, restorable by every client, and gone without a trace when it fails."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from bot.demo import casework as sample
from bot.demo.casework import Casework
from bot.demo.postgres import EmbeddedPostgres
from bot.ports import StepError
from bot.runbook.steps import StepName
from integrations.postgres import pack
from integrations.postgres.backup import Backup
from integrations.postgres.catalog import Catalog, read_catalog
from integrations.postgres.connect import connection_env, session
from integrations.postgres.pack import LEAST, PIECE, packed
from integrations.postgres.snapshot import count_rows
from integrations.process import Exit, base_env, run_child
from tests.integrations.postgres.conftest import QUICK, Stage, Until

WELL, BADLY = Exit(code=0, seconds=0.0), Exit(code=1, seconds=0.0)
TEXT = b"".join(b"%d\tsomebody\t%d\n" % (n, n * n) for n in range(600_000))


def written(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


def unpacked(folder: Path) -> dict[str, bytes]:
    return {each.name: gzip.decompress(each.read_bytes()) for each in folder.glob("*.gz")}


async def ended(how: Exit = WELL) -> Exit:
    return how


async def test_data_files_are_packed_and_the_rest_stays(tmp_path: Path) -> None:
    """Tables and large objects become .gz with the same content, empty ones too; tables of contents stay."""
    files = {"1.dat": TEXT, "2.dat": b"\\.\n", "blob_3.dat": b"", "blobs_4.toc": b"3 blob_3.dat\n", "toc.dat": b"PGDMP"}
    written(tmp_path, files)

    await packed(tmp_path, 2, ended())

    assert {"1.dat.gz": TEXT, "2.dat.gz": b"\\.\n", "blob_3.dat.gz": b""} == unpacked(tmp_path)
    assert {"1.dat.gz", "2.dat.gz", "blob_3.dat.gz", "blobs_4.toc", "toc.dat"} == {p.name for p in tmp_path.iterdir()}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.gz")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("50 47 44 4d 50 01 10 00 04 08 03 00 00", "50 47 44 4d 50 01 10 00 04 08 03 01 00"),  # PostgreSQL 16 to 18
        ("50 47 44 4d 50 01 0e 00 04 08 03 00 00", "50 47 44 4d 50 01 0e 00 04 08 03 00 01"),  # 12 to 15
        ("50 47 44 4d 50 01 10 00 04 08 03 02 00", "50 47 44 4d 50 01 10 00 04 08 03 02 00"),  # says lz4 already
        ("50 47 44 4d 50 01 7f 00 04 08 03 00 00", "50 47 44 4d 50 01 7f 00 04 08 03 00 00"),  # unknown
    ],
)
async def test_the_contents_say_gzip(tmp_path: Path, before: str, after: str) -> None:
    """The table of contents says what the files are now, where its version is known; else it stays as it is."""
    written(tmp_path, {"toc.dat": bytes.fromhex(before)})

    await packed(tmp_path, 2, ended())

    assert bytes.fromhex(after) == (tmp_path / "toc.dat").read_bytes()


async def test_a_growing_file_is_packed_as_it_grows(tmp_path: Path, until: Until) -> None:
    """What is written is packed before the writer has ended, and its place is given back where that is possible."""
    raw, gz = tmp_path / "1.dat", tmp_path / "1.dat.gz"
    written(tmp_path, {"toc.dat": b"PGDMP"})
    assert LEAST < PIECE < len(TEXT)

    async def grow() -> Exit:
        with raw.open("wb", buffering=0) as file:
            for part in (TEXT, TEXT[:LEAST]):
                before = gz.stat().st_size if gz.exists() else 0
                file.write(part)
                await until(grown_beyond(gz, before))
            file.write(b"the end\n")
            return WELL

    await packed(tmp_path, 1, grow())

    assert {"1.dat.gz": TEXT + TEXT[:LEAST] + b"the end\n"} == unpacked(tmp_path)
    assert not raw.exists()


def grown_beyond(path: Path, size: int) -> Callable[[], Awaitable[object]]:
    async def grown() -> bool:
        return path.exists() and path.stat().st_size > size

    return grown


async def test_a_failed_dump_is_not_finished(tmp_path: Path) -> None:
    """When pg_dump fails, its end is handed on and nothing is made to look whole."""
    written(tmp_path, {"1.dat": TEXT})

    assert BADLY == await packed(tmp_path, 2, ended(BADLY))

    assert (tmp_path / "1.dat").exists()


async def test_failing_to_pack_stops_the_dump(tmp_path: Path) -> None:
    """When a piece cannot be packed, the dump is stopped and the error says what happened and what to do."""
    stopped = asyncio.Event()
    written(tmp_path, {"1.dat": TEXT})
    (tmp_path / "1.dat.gz").mkdir()

    async def endless() -> Exit:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return WELL

    with pytest.raises(StepError, match=r"The dump could not be packed: .*Is a directory"):
        await packed(tmp_path, 2, endless())

    assert stopped.is_set()


async def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told with the advice for it."""
    written(tmp_path, {"1.dat": TEXT})

    def full(_: pack._File) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pack, "_advance", full)

    with pytest.raises(StepError, match="No space left") as caught:
        await packed(tmp_path, 2, ended())

    assert "larger disk" in caught.value.advice


async def test_failing_to_pack_leaves_no_folder(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup whose packing fails leaves nothing behind, like any that fails."""

    def broken(_: pack._File) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(pack, "_finish", broken)

    with pytest.raises(StepError, match="could not be packed"):
        await Backup(QUICK).run(stage.at(StepName.BACKUP))

    assert [] == list(stage.target.backups.iterdir())


async def test_the_description_says_who_packs(stage: Stage) -> None:
    """The approval says that the bot packs, and with what; the digest covers it."""
    stage.target = replace(stage.target, client_tools=EmbeddedPostgres.bin_dir())

    found = await Backup(QUICK).describe(stage.at(StepName.BACKUP))

    assert "--compress=0 --no-password --no-sync" in found.lines[0]
    assert "packed by the bot as it is written: igzip, level 1" in found.lines[2]
    assert "igzip" in found.inputs["compression"]


async def test_restored_by_this_server_s_tools(stage: Stage, casework: Casework, pg: EmbeddedPostgres) -> None:
    """A packed dump with large objects restores to the same schema, rows and large objects."""
    async with await psycopg.AsyncConnection.connect(casework.owner_dsn, autocommit=True) as db:
        await db.execute("select lo_from_bytea(90001, 'hello'), lo_from_bytea(90002, '')")
    stage.target = replace(stage.target, client_tools=EmbeddedPostgres.bin_dir())
    outcome = await stage.backed_up()
    name = f"{casework.name}_packed"
    await sample.create_database(pg, name, owner=sample.OWNER)
    try:
        await restored(EmbeddedPostgres.bin_dir(), Path(outcome.facts["folder"]), pg.dsn(name))
        large = "select loid::int, convert_from(lo_get(loid), 'UTF8') from (values (90001::oid), (90002)) as l (loid)"
        async with await psycopg.AsyncConnection.connect(pg.dsn(name)) as db:
            assert [(90001, "hello"), (90002, "")] == await (await db.execute(large)).fetchall()
        owner = conninfo.make_conninfo(casework.owner_dsn, dbname=name)
        assert await content(casework.owner_dsn) == await content(owner)
    finally:
        await sample.drop_database(pg, name)


async def restored(tools: Path, folder: Path, dsn: str) -> None:
    """pg_restore with parallel jobs, after a look at its table of contents."""
    env, more = connection_env(dsn)
    for argv in (["--list"], ["--jobs=2", "--no-password", "--exit-on-error", "-d", *(more[1:] or ("",))]):
        done = await run_child(
            [str(tools / "pg_restore"), *argv, str(folder)],
            env=base_env() | env, cwd=Path("/"), on_line=lambda _: None, time_limit=60,
        )  # fmt: skip
        assert done.ok, done.tail


async def content(dsn: str) -> tuple[Catalog, object]:
    async with session(dsn, "test") as db:
        return await read_catalog(db), await count_rows(db, QUICK)
