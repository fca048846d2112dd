"""What a process counts of itself, for Prometheus: names and units by its conventions, labels with few values only.

Ids of runs, people and channels are no labels: they are in the log lines, which have them bound.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from bot import tracing
from bot.runbook import events as e

disable_created_metrics()  # type: ignore[no-untyped-call]  # a counter that begins anew is seen without them
REGISTRY = CollectorRegistry()
_CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_JOB_SECONDS = (0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
_STEP_SECONDS = (1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 7200.0)


def _counter(name: str, words: str, *labels: str) -> Counter:
    return Counter(f"migrate_bot_{name}", words, labels, registry=REGISTRY)


def _histogram(name: str, words: str, label: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(f"migrate_bot_{name}", words, (label,), buckets=buckets, registry=REGISTRY)


def _gauge(name: str, words: str, *labels: str) -> Gauge:
    return Gauge(f"migrate_bot_{name}", words, labels, registry=REGISTRY)


_calls = _counter("calls", "Calls to Slack and the outside systems.", "system", "outcome")
_call_seconds = _histogram("call_seconds", "How long they took.", "system", _CALL_SECONDS)
_jobs = _counter("jobs", "Jobs that ended in this process.", "job", "outcome")
_job_seconds = _histogram("job_seconds", "How long they took.", "job", _JOB_SECONDS)
_steps = _counter("steps", "Steps of the runbook that ended.", "step", "outcome")
_step_seconds = _histogram("step_seconds", "How long those took that succeeded.", "step", _STEP_SECONDS)
_answers = _counter("answers", "Answers to questions.", "answer")
_judgements = _counter("judgements", "Changes of a watch's verdict.", "judgement")
_swept = _gauge("clock_sweep_timestamp_seconds", "When the clock last looked at everything.")

#: Of the store, set when they are asked for.
RUNS = _gauge("runs", "Runs that are not over, by state.", "state")
PLANS = _gauge("plans", "Plans that are not over.")
LETTERS = _gauge("letters_waiting", "Messages that wait to be delivered to Slack.")
NOTICES = _gauge("notices_waiting", "What the outside systems still wait to be told.")
NOTICE_AGE = _gauge("notices_oldest_seconds", "For how long the oldest of them has been due.")
QUEUED = _gauge("queue_jobs", "Jobs of the queue, by status.", "status")


def text() -> bytes:
    """All of it in Prometheus' text format."""
    return generate_latest(REGISTRY)


def called(system: str, outcome: str, seconds: float) -> None:
    """A call to ``Slack``, ``Render``, … that ended ``ok``, ``refused``, ``busy`` or ``unclear``."""
    tracing.called(system, outcome, seconds)
    _calls.labels(system, outcome).inc()
    _call_seconds.labels(system).observe(seconds)


@contextlib.contextmanager
def job(name: str, run_id: str = "") -> Iterator[None]:
    """A job while it runs, for a run, a plan or a follow-up."""
    began, outcome = time.monotonic(), "failed"
    try:
        with tracing.during(f"job {name}", run_id):
            yield
        outcome = "done"
    finally:
        _jobs.labels(name, outcome).inc()
        _job_seconds.labels(name).observe(time.monotonic() - began)


def happened(events: Iterable[e.Event]) -> None:
    """What the ledger has just got."""
    for event in events:
        match event:
            case e.StepFinished(step=step, began_at=began, at=at):
                _steps.labels(step.value, "finished").inc()
                _step_seconds.labels(step.value).observe(max(at - began, 0.0))
            case e.StepFailed(step=step):
                _steps.labels(step.value, "failed").inc()
            case e.Approved():
                _answers.labels("approved").inc()
            case e.Rejected():
                _answers.labels("rejected").inc()
            case e.HealthJudged(judgement=judgement):
                _judgements.labels(judgement.value).inc()


def swept() -> None:
    """The clock has looked at everything."""
    _swept.set_to_current_time()
