"""Spans over OTLP (HTTP, protobuf), configured by OpenTelemetry's own variables.  Imported only where those are set.

The trace of a run has an id that is made from the run's: every process that works on it finds the same one, so web,
worker and clock need not tell each other.  Spans have no words that people wrote, and no secret.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from bot.runbook import events as e
from bot.runbook.run import Run
from bot.tracing import Moves

_ROOT: ContextVar[SpanContext | None] = ContextVar("root", default=None)


class _Ids(RandomIdGenerator):
    """The span of a whole run is sent last, and its parts have named it as their parent long before."""

    def generate_span_id(self) -> int:
        root = _ROOT.get()
        return root.span_id if root else super().generate_span_id()

    def generate_trace_id(self) -> int:
        root = _ROOT.get()
        return root.trace_id if root else super().generate_trace_id()


def context_of(run_id: str) -> SpanContext:
    """The span that stands for a run, a plan or a follow-up as a whole."""
    digest = hashlib.sha256(run_id.encode()).digest()
    ids = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
    return SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


class OtlpSpans:
    """``Spans`` of one process."""

    def __init__(self, process: str) -> None:
        resource = Resource.create({"service.name": "migrate-bot", "service.instance.role": process})
        self._provider = TracerProvider(resource=resource, id_generator=_Ids())
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("migrate-bot")

    @contextlib.contextmanager
    def during(self, name: str, run_id: str) -> Iterator[None]:
        """As a child of the run; an error that leaves the block marks it by its type, not by its words."""
        parent = trace.set_span_in_context(NonRecordingSpan(context_of(run_id)))
        with self._tracer.start_as_current_span(
            name, parent, attributes={"migrate.run": run_id}, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def moved(self, before: Run, moves: Moves) -> None:
        """Steps, waits for people and the run itself, each when it is over."""
        for run, event in moves:
            match event:
                case e.StepFinished(step=step, began_at=began, at=at):
                    self._past(f"step {step}", run, began, at, ok=True)
                case e.StepFailed(step=step, at=at):
                    self._past(f"step {step}", run, before.since, at, ok=False)
                case e.Granted(step=step, at=at) if before.question is not None:
                    self._past(f"approval {step}", run, before.question.asked_at, at, ok=True)
                case e.Ended(at=at):
                    self._whole(run, at)
            before = run

    def called(self, system: str, outcome: str, seconds: float) -> None:
        """Only as a part of something: by itself nobody would find it."""
        if not trace.get_current_span().get_span_context().is_valid:
            return
        now = time.time()
        span = self._tracer.start_span(f"call {system}", kind=SpanKind.CLIENT, start_time=_nanos(now - seconds))
        span.set_attribute("migrate.outcome", outcome)
        span.set_status(Status(StatusCode.OK if outcome == "ok" else StatusCode.ERROR))
        span.end(_nanos(now))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _past(self, name: str, run: Run, began: float, ended: float, *, ok: bool) -> None:
        parent = trace.set_span_in_context(NonRecordingSpan(context_of(run.id)))
        span = self._tracer.start_span(name, parent, start_time=_nanos(began), attributes=_attributes(run))
        span.set_status(Status(StatusCode.OK if ok else StatusCode.ERROR))
        span.end(_nanos(ended))

    def _whole(self, run: Run, ended: float) -> None:
        token = _ROOT.set(context_of(run.id))
        try:
            span = self._tracer.start_span(
                "migration", trace.set_span_in_context(trace.INVALID_SPAN), start_time=_nanos(run.started_at),
                attributes=_attributes(run) | {"migrate.state": run.state.value},
            )  # fmt: skip
        finally:
            _ROOT.reset(token)
        span.end(_nanos(ended))


def _attributes(run: Run) -> dict[str, str]:
    return {"migrate.run": run.id, "migrate.target": run.plan.target, "migrate.route": run.route.value}


def _nanos(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
