"""Traces, sent by OTLP to a real listener: one for each run, with steps, waits and calls; nothing unless asked for."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot import telemetry, tracing
from bot.jobs.drive import Driver
from bot.ports import StepError
from bot.runbook import intents as i
from bot.runbook.steps import StepName
from bot.spans import OtlpSpans, context_of
from tests.kit import ALEX, DANA, backstage, plan, ready, small_steps, target, with_steps

SECRET = "postgresql://owner:hunter2@db/prod"


class Collector(HTTPServer):
    """Takes what an OpenTelemetry collector takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(each) for each in self.bodies]
        return [
            span for one in requests for of in one.resource_spans for scope in of.scope_spans for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        """OTLP over HTTP: /v1/traces, protobuf."""
        assert self.path == "/v1/traces"
        assert self.headers["Content-Type"] == "application/x-protobuf"
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Listening, and named in the environment."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        yield server
        tracing.close()
        server.shutdown()
        thread.join()


async def test_a_run_is_one_trace_whoever_works_on_it(collector: Collector, store_dsn: str) -> None:
    """Two processes, one trace: jobs with their calls, steps with their times, the wait for a person, the whole."""
    await ready(store_dsn)
    steps = small_steps()
    steps[StepName.STOP_SERVICES].failure = StepError(f"It cannot be stopped: {SECRET}", "Look.")
    async with backstage(store_dsn) as stage:
        with_steps(stage, steps)
        driver = Driver(stage.engine, steps, {"casework": target()})
        tracing.begin(OtlpSpans("worker"))
        run = await stage.engine.start(plan())
        with telemetry.job("drive", run.id):
            await driver.drive(run.id)
            telemetry.called("Slack", "ok", 0.2)
        tracing.close()  # the next process
        tracing.begin(OtlpSpans("web"))
        for person in (ALEX, ALEX):
            asked = (await stage.engine.load(run.id)).question
            assert asked is not None
            await stage.engine.handle(run.id, i.Approve(person=person, number=asked.number, digest=asked.digest))
            with telemetry.job("drive", run.id):
                await driver.drive(run.id)
        await stage.engine.handle(run.id, i.Abort(person=DANA, reason="not today"))
        while not (await stage.engine.load(run.id)).final:
            await driver.drive(run.id)
            if (asked := (await stage.engine.load(run.id)).question) is not None:
                await stage.engine.handle(run.id, i.Approve(person=ALEX, number=asked.number, digest=asked.digest))
        await asyncio.to_thread(tracing.close)

    spans = {each.name: each for each in collector.spans}
    ids = context_of(run.id)
    assert {ids.trace_id.to_bytes(16)} == {each.trace_id for each in collector.spans}
    assert {"job drive", "call Slack", "step announce_start", "step backup", "approval backup", "migration"} <= set(
        spans
    )
    assert spans["migration"].span_id == ids.span_id.to_bytes(8) and not spans["migration"].parent_span_id
    assert spans["step backup"].parent_span_id == spans["migration"].span_id
    assert spans["call Slack"].parent_span_id in {each.span_id for each in collector.spans if each.name == "job drive"}
    assert 150_000_000 < spans["call Slack"].end_time_unix_nano - spans["call Slack"].start_time_unix_nano < 250_000_000
    assert 2 == spans["step stop_services"].status.code
    assert 1 == spans["step backup"].status.code
    assert b"hunter2" not in b"".join(collector.bodies)


async def test_an_error_marks_its_job_by_its_type_alone(collector: Collector) -> None:
    """What an exception says may be anybody's secret."""
    tracing.begin(OtlpSpans("worker"))
    with pytest.raises(ValueError, match="hunter2"), telemetry.job("drive", "m-1"):
        raise ValueError(SECRET)
    await asyncio.to_thread(tracing.close)

    (span,) = collector.spans
    assert (2, "ValueError") == (span.status.code, span.status.message)
    assert b"hunter2" not in b"".join(collector.bodies)


def test_without_the_variable_nothing_is_imported() -> None:
    """Who does not trace pays nothing for it."""
    found = subprocess.run(
        [sys.executable, "-c", "import bot.cli, sys; print([each for each in sys.modules if 'opentelemetry' in each])"],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "[]" == found.stdout.strip()
