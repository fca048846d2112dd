"""The risk check held against a real server on every migration of the corpus; not collected by pytest.

Usage: ``python -m tests.bench.risk [--json]``.  Each migration is judged, then run: its locks from pg_locks, its
rewrites from the tables' files, its losses from what is no longer there.
"""

import argparse
import asyncio
import json
from typing import cast

from bot.demo.postgres import EmbeddedPostgres
from tests.conftest import short_folder
from tests.integrations.postgres.risk.score import Case, corpus, figures, run_corpus, table


async def bench() -> list[Case]:
    """All cases, on a server of their own."""
    with short_folder() as work:
        async with EmbeddedPostgres(work / "data", durable=False) as pg:
            return await run_corpus(pg, corpus())


def readable(found: dict[str, object]) -> str:
    """The figures, a line each."""
    flat = {
        f"{name}.{part}" if part else name: value
        for name, group in found.items()
        for part, value in (cast(dict[str, object], group).items() if isinstance(group, dict) else [("", group)])
    }
    return "\n".join(f"{name:28}{value}" for name, value in flat.items())


def main() -> None:
    """The whole run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.risk", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    wanted = parser.parse_args()
    cases = asyncio.run(bench())
    found = figures(cases)
    print(f"{table(cases)}\n\n{readable(found)}")
    if wanted.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
