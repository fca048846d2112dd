"""A server of PostgreSQL 15 beside the packaged one (always in CI): what people really run is older."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo import casework as sample
from bot.demo.postgres import EmbeddedPostgres
from tests.conftest import PASSWORDS, short_folder

BIN = Path("/usr/lib/postgresql/15/bin")


class Elder(EmbeddedPostgres):
    """The same supervisor over Debian's programs; the data folder is made by their own initdb."""

    def _binaries(self) -> Path:
        return BIN

    async def start(self) -> None:
        if not self.data.exists():
            self.data.mkdir(parents=True)
            self._account.own(self.data, 0o700)
            subprocess.run(
                [BIN / "initdb", "-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync",
                 f"--pwfile={self._password_file()}", "-D", self.data],
                check=True, capture_output=True, cwd="/", **self._account.popen,
            )  # fmt: skip
        self._claim()
        await self._launch()


@asynccontextmanager
async def elder() -> AsyncIterator[EmbeddedPostgres]:
    """It runs as long as the block, with the sample's roles and template."""
    if not (BIN / "postgres").exists():
        reason = f"no {BIN}: apt-get install postgresql-15"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with short_folder() as folder:
        async with Elder(folder / "data", durable=False) as server:
            await sample.create_roles(server, PASSWORDS)
            await sample.ensure_template(server, PASSWORDS, scale=0.02)
            yield server
