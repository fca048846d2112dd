"""``python -m bot demo``: the workspace for people to try out, or a scenario that plays by itself."""

import argparse
import asyncio
import sys
from pathlib import Path

from bot import ledger
from bot.demo import cast
from bot.demo.errors import EmbeddedPostgresError
from bot.demo.prisma_project import PrismaUnavailable, node_modules
from bot.demo.scenarios import SCENARIOS
from bot.demo.scene import ScenarioFailed, Scene, opened, save
from bot.demo.stage import RENDER, set_up

_BY_HAND_SPEED = 15.0  # 30 minutes of watching pass in two
_AUTO_SPEED = 60.0


async def main(options: argparse.Namespace) -> int:
    """The exit code: 0 only if a scenario ended as it says."""
    try:
        return await (_auto(options) if options.auto else _by_hand(options))
    except EmbeddedPostgresError as error:
        print(error, file=sys.stderr)
        return 1


async def _by_hand(options: argparse.Namespace) -> int:
    folder = Path(options.folder or ".demo")
    speed = options.speed or _BY_HAND_SPEED
    async with set_up(
        folder,
        speed=speed,
        quorum=1,
        fresh=options.fresh,
        port=options.port,
        on=options.platform,
        checklist="required",
        prisma=options.prisma or (options.platform == RENDER and _prisma_is_here()),
    ) as stage:
        print(f"\n  Open {stage.workspace.url}/#as={cast.STARTER} and type  /migrate plan\n", flush=True)
        print(f"  Waiting periods run {speed:g} times faster than life; the work is real.  Ctrl-C ends it.", flush=True)
        await asyncio.Event().wait()
    return 0


def _prisma_is_here() -> bool:
    """A service on Render is most often a Node application; without Node, or npm's registry, SQL files will do."""
    try:
        node_modules()
    except PrismaUnavailable as why:
        print(f"\n  {why}  Without it the migrations are SQL files.", file=sys.stderr)
        return False
    return True


async def _auto(options: argparse.Namespace) -> int:
    scenario = SCENARIOS.get(options.scenario)
    if scenario is None:
        print(f"There is no scenario “{options.scenario}”. There are: {', '.join(SCENARIOS)}.", file=sys.stderr)
        return 2
    folder = Path(options.folder or ".demo-auto")
    async with (
        set_up(
            folder,
            speed=scenario.speed or options.speed or _AUTO_SPEED,
            quorum=2,
            fresh=True,
            port=options.port,
            standby=scenario.standby,
            workflows=scenario.workflows,
            on=scenario.on or options.platform,
            checklist=scenario.checklist,
            prisma=scenario.prisma or options.prisma,
            follow_up_speed=scenario.follow_up_speed,
            terms=scenario.terms,
        ) as stage,
        opened(stage) as scene,
    ):
        code = 0
        try:
            await scenario.act(scene)
            print(f"\n{options.scenario}: ended as it should; {await ledger.verify(scene.engine, scene.run_id)}")
        except (ScenarioFailed, TimeoutError) as error:
            print(f"\n{options.scenario}: {error}", file=sys.stderr)
            code = 1
        await _keep(scene, options.json)
        return code


async def _keep(scene: Scene, path: str) -> None:
    if path and scene.run_id:
        save(await ledger.export(scene.engine, scene.run_id), path)
