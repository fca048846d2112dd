"""Each target is on its own platform, and every question goes there."""

from dataclasses import replace
from pathlib import Path

from bot.target import Service
from integrations.services.platforms import Platforms
from tests.fakes import FakePlatform
from tests.integrations.services.making import target


async def test_every_call_goes_to_the_targets_own_platform(tmp_path: Path) -> None:
    """The other platform sees nothing of it."""
    one, other = FakePlatform(), FakePlatform()
    both = Platforms({"casework": one}, otherwise=other)
    web = Service(name="web", health_url="", command=("serve", "--release", "r1"))
    here = target(tmp_path, web)
    there = replace(here, name="billing")
    one.logs["web"] = ("hello",)
    await both.start(here)
    await both.remember(here, "run-1")
    await both.stop(here)
    assert ({"web": False}, ("web",), ("web",)) == (
        await both.status(here), await both.wanted(here), await both.known(here, "run-1")
    )  # fmt: skip
    await both.start(here, previous=True)
    assert ("r1", "r1", ("hello",)) == (
        await both.release(here, web), await both.previous(here, web), await both.log(here, web, 5)
    )  # fmt: skip
    assert ({"web": True}, {"web": False}) == (await both.status(here), await both.status(there))
    assert ((await one.deploys_held(here)), one.where(here)) == (await both.deploys_held(here), both.where(here))
    assert (None, set()) == (other.run, other.running)
