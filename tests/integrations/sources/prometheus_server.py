"""A real Prometheus that scrapes a tiny exporter twice a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiohttp import web

from tests.integrations.services.making import free_port

CONFIG = """\
global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs: [{ job_name: casework, static_configs: [{ targets: ["127.0.0.1:PORT"] }] }]
"""


@dataclass
class Exporter:
    """One service: with each scrape ten more answers, one of them a failure; 90 % within 0.1 s, all within 0.5 s."""

    traffic: bool = True
    failures: bool = True
    up: bool = True
    scrapes: int = 0

    async def metrics(self, _request: web.Request) -> web.Response:
        if not self.up:
            return web.Response(status=503)
        self.scrapes += 1
        return web.Response(text=self._text(self.scrapes) if self.traffic else "process_up 1\n")

    def _text(self, n: int) -> str:
        good, bad = ("200", 9 * n), ("503", n)
        counts = [good, bad] if self.failures else [("200", 10 * n)]
        lines = [f'http_requests_total{{status="{status}"}} {count}' for status, count in counts]
        buckets = (("0.1", 9 * n), ("0.5", 10 * n), ("+Inf", 10 * n))
        lines += [f'http_request_duration_seconds_bucket{{le="{le}"}} {count}' for le, count in buckets]
        return "\n".join(lines) + "\n"


@asynccontextmanager
async def scraping(folder: Path, exporter: Exporter) -> AsyncIterator[str]:
    """The address of a Prometheus that knows nothing yet; ended afterwards."""
    app = web.Application()
    app.add_routes([web.get("/metrics", exporter.metrics)])
    runner, port, own = web.AppRunner(app, shutdown_timeout=1.0), free_port(), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    (folder / "prometheus.yml").write_text(CONFIG.replace("PORT", str(port)))
    server = await asyncio.create_subprocess_exec(
        "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{own}", "--log.level=error",
    )  # fmt: skip
    try:
        await _ready(f"http://127.0.0.1:{own}")
        yield f"http://127.0.0.1:{own}"
    finally:
        server.terminate()
        await server.wait()
        await runner.cleanup()


async def _ready(url: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(f"{url}/-/ready")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
