"""Traces by OpenTelemetry, where its standard variables name a collector: one trace for each run, whoever works on it.

Without ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``…_TRACES_ENDPOINT``) nothing is imported and nothing is sent.  The
packages are the optional extra ``tracing``.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Protocol

from bot.runbook import events as e
from bot.runbook.run import Run

VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
Moves = Iterable[tuple[Run, e.Event]]  # each event with the run after it


class Spans(Protocol):
    """Where spans go."""

    def during(self, name: str, run_id: str) -> contextlib.AbstractContextManager[None]:
        """A span around a piece of work for a run, a plan or a follow-up."""

    def moved(self, before: Run, moves: Moves) -> None:
        """What the ledger has just got: a span for each step that ended, each wait for people, and the whole run."""

    def called(self, system: str, outcome: str, seconds: float) -> None:
        """A call that has just ended, as part of what is under way."""

    def close(self) -> None:
        """Send what is left."""


class _Current:
    """This process's."""

    spans: Spans | None = None


def wanted() -> bool:
    """Does the environment name a collector?"""
    return any(os.environ.get(each) for each in VARIABLES)


def begin(spans: Spans) -> None:
    """From now on this process's spans go there."""
    _Current.spans = spans


def close() -> None:
    """Send what is left, and stop."""
    if _Current.spans is not None:
        _Current.spans.close()
        _Current.spans = None


@contextlib.contextmanager
def during(name: str, run_id: str) -> Iterator[None]:
    """A piece of work while it lasts."""
    with _Current.spans.during(name, run_id) if _Current.spans and run_id else contextlib.nullcontext():
        yield


def moved(before: Run, moves: Moves) -> None:
    """What the ledger has just got."""
    if _Current.spans is not None:
        _Current.spans.moved(before, moves)


def called(system: str, outcome: str, seconds: float) -> None:
    """A call that has just ended."""
    if _Current.spans is not None:
        _Current.spans.called(system, outcome, seconds)
