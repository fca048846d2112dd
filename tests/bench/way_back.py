"""Backup, restore, standby copy and switch, by hand and by the bot, on growing databases; not collected by pytest.

Usage: ``python -m tests.bench.way_back [--sizes 0.25,1,4] [--bin DIR] [--json]``.  Size 1 is more than 1 GB; ``--bin``
is the folder of the client tools that both sides use.  Everything is on this machine, the server is durable (fsync on),
acts by hand and by the bot take turns, and no figure counts before the database it stands for has the original's rows.
"""

import argparse
import asyncio
import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.demo import casework as sample
from bot.demo.postgres import EmbeddedPostgres
from bot.runbook.steps import Standby, StepName
from integrations.postgres.beside import FAILED, STANDBY, beside
from integrations.postgres.tools import NONE, compression, find_tools
from tests.bench.way_back_acts import (
    BY_HAND,
    NAME,
    PASSWORDS,
    Shop,
    back_up,
    backup_by_hand,
    generated,
    restore_by_hand,
    second_rung,
    stand_by,
    third_rung,
    timed,
    weighed,
)
from tests.conftest import short_folder

PROCESSORS = len(os.sched_getaffinity(0))


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one size; times are seconds, medians where an act was repeated, and sizes bytes."""

    size: float
    database: int
    backup_by_hand: float
    backup: float
    dump_by_hand: int
    dump: int
    restore_by_hand: float
    restore_by_hand_cpu: float
    restore: float
    restore_cpu: float
    copy_by_template: float
    copy_by_restore: float
    switch_downtime: float
    switch: float

    @property
    def backup_speedup(self) -> float:
        return self.backup_by_hand / self.backup

    @property
    def size_ratio(self) -> float:
        return self.dump / self.dump_by_hand

    @property
    def restore_speedup(self) -> float:
        return self.restore_by_hand / self.restore

    @property
    def restore_bound(self) -> float:
        """The most that sharing the by-hand restore's own work between all processors could gain: no restore that does
        the same work (unpacking, COPY, indexes, WAL) is faster than that."""
        return PROCESSORS * self.restore_by_hand / self.restore_by_hand_cpu

    @property
    def standby_speedup(self) -> float:
        return self.restore / self.copy_by_template


async def measured(pg: EmbeddedPostgres, tools: Path, work: Path, size: float) -> Figures:
    """Everything at one size; nothing of it is left on the server."""
    shop = await generated(pg, tools, work, size)
    turns = 1 if size > 1 else 2
    by_hand, by_bot = [], []
    for _ in range(turns):
        by_hand.append(await timed(lambda: backup_by_hand(shop)))
        by_bot.append(await timed(lambda: back_up(shop)))
    restores = await restored(shop, turns)
    copies = await copied(shop)
    gap, whole = await second_rung(shop)
    await swept(shop)
    await shop.do("drop database {} with (force)", NAME)
    await shop.do("drop database {} with (force)", BY_HAND)
    return Figures(
        size=size, database=shop.size, backup_by_hand=statistics.median(by_hand), backup=statistics.median(by_bot),
        dump_by_hand=(work / "by_hand.sql.gz").stat().st_size,
        dump=int(shop.stage.run.fact(StepName.BACKUP, "bytes") or 0),
        restore_by_hand=restores[0][0], restore_by_hand_cpu=restores[0][1],
        restore=restores[1][0], restore_cpu=restores[1][1],
        copy_by_template=copies[0], copy_by_restore=copies[1], switch_downtime=gap, switch=whole,
    )  # fmt: skip


async def restored(shop: Shop, turns: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """By hand, and by the bot: seconds, and seconds of processor time."""
    await shop.do("create database {} template {} strategy file_copy", BY_HAND, NAME)
    await shop.do("alter database {} owner to {}", BY_HAND, sample.OWNER)
    by_hand: list[tuple[float, float]] = []
    by_bot: list[tuple[float, float]] = []
    for _ in range(turns):
        by_hand.append(await weighed(lambda: restore_by_hand(shop)))
        await shop.require_equal(BY_HAND)
        by_bot.append(await weighed(lambda: third_rung(shop)))
        await swept(shop)
    return _medians(by_hand), _medians(by_bot)


def _medians(found: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(each for each, _ in found), statistics.median(each for _, each in found)


async def copied(shop: Shop) -> tuple[float, float]:
    """The standby step, from the backup and by the server; the latter copy stays for the switch."""
    side = beside(shop.back.forward(StepName.BACKUP), STANDBY)
    by_restore = await timed(lambda: stand_by(shop, Standby.RESTORE))
    await shop.require_equal(side)
    await shop.do("drop database {} with (force)", side)
    by_template = await timed(lambda: stand_by(shop, Standby.TEMPLATE))
    await shop.require_equal(side)
    return by_template, by_restore


async def swept(shop: Shop) -> None:
    """After a switch: the database is the original's equal, and the one put away is removed."""
    await shop.require_equal(NAME)
    await shop.do("drop database {} with (force)", beside(shop.back.forward(StepName.BACKUP), FAILED))


def table(figures: Sequence[Figures]) -> str:
    """For people: a line for each act, a column for each size, and at the end what a way back takes in all."""
    mega, of = 1_000_000, [f"{each.database / 1e9:.2f} GB" for each in figures]
    lines: list[tuple[str, list[str]]] = [
        ("database", of),
        ("backup by hand (pg_dump | gzip)", [f"{each.backup_by_hand:.1f} s" for each in figures]),
        ("backup by the bot", [f"{each.backup:.1f} s ({each.backup_speedup:.1f}x)" for each in figures]),
        ("  its size, gzip's = 1", [f"{each.dump / mega:.0f} MB ({each.size_ratio:.2f})" for each in figures]),
        ("restore by hand (dropdb, createdb, psql)", [f"{each.restore_by_hand:.1f} s" for each in figures]),
        ("rung 3 by the bot", [f"{each.restore:.1f} s ({each.restore_speedup:.1f}x)" for each in figures]),
        ("  processor time, by hand / rung 3", [
            f"{each.restore_by_hand_cpu:.1f} / {each.restore_cpu:.1f} s" for each in figures]),
        (f"  most to be had on {PROCESSORS} processors", [f"{each.restore_bound:.2f}x" for each in figures]),
        ("standby copy from the backup", [f"{each.copy_by_restore:.1f} s" for each in figures]),
        ("standby copy by the server", [f"{each.copy_by_template:.1f} s ({each.standby_speedup:.1f}x rung 3)"
                                        for each in figures]),
        ("rung 2, the whole switch", [f"{each.switch * 1000:.0f} ms" for each in figures]),
        ("  longest time without an answer", [f"{each.switch_downtime * 1000:.0f} ms" for each in figures]),
        ("way back by hand / rung 3 / rung 2", [
            f"{each.restore_by_hand:.0f} / {each.restore:.0f} / {each.switch:.2f} s" for each in figures]),
    ]  # fmt: skip
    return "\n".join(f"{name:42}" + "".join(f"{cell:>24}" for cell in cells) for name, cells in lines)


def growth(figures: Sequence[Figures]) -> str:
    """How much longer the largest takes than the smallest."""
    first, last = figures[0], figures[-1]
    names = ("backup", "restore", "copy_by_template", "switch_downtime")
    grown = ", ".join(f"{name} {getattr(last, name) / getattr(first, name):.1f}x" for name in names)
    return f"From {first.size:g} to {last.size:g}, {last.database / first.database:.1f}x the bytes: {grown}"


def summary(figures: Sequence[Figures], client: str) -> str:
    """For machines, in one line; what is one figure is taken at size 1, the downtime at its worst."""
    one = min(figures, key=lambda each: abs(each.size - 1))
    found = {
        "client": client,
        "backup": {"speedup": round(one.backup_speedup, 2), "size_ratio": round(one.size_ratio, 3)},
        "restore": {"speedup": round(one.restore_speedup, 2), "bound": round(one.restore_bound, 2)},
        "standby": {"speedup": round(one.standby_speedup, 2)},
        "switch": {"downtime_s": round(max(each.switch_downtime for each in figures), 4)},
        "sizes": [{name: round(value, 4) for name, value in asdict(each).items()} for each in figures],
    }
    return json.dumps(found)


async def bench(sizes: Sequence[float], folder: Path | None) -> tuple[list[Figures], str]:
    """The figures of each size, and which client wrote what."""
    with short_folder(lasting=True) as work:
        async with EmbeddedPostgres(work / "data", durable=True) as pg:
            await sample.create_roles(pg, PASSWORDS)
            tools = await find_tools(18, folder or EmbeddedPostgres.bin_dir())
            packer = "packed by the bot with igzip" if await compression(tools) == NONE else "zstd, by pg_dump itself"
            client = f"pg_dump {tools.version}: {packer}"
            print(client, flush=True)
            figures = []
            for size in sizes:
                figures.append(await measured(pg, tools.folder, work, size))
                print(f"\n{table(figures)}", flush=True)
    return figures, client


def main() -> None:
    """The whole run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.way_back", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", default="0.25,1,4", help="times about 1.2 GB, ascending")
    parser.add_argument("--bin", type=Path, help="folder of pg_dump, pg_restore, psql, dropdb and createdb")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    wanted = parser.parse_args()
    figures, client = asyncio.run(bench([float(size) for size in wanted.sizes.split(",")], wanted.bin))
    print(growth(figures))
    if wanted.json:
        print(summary(figures, client))


if __name__ == "__main__":
    main()
