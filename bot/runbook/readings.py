"""What a source of metrics reads of the running system, and how several of them make one sample.

A source says what it knows; what it should know and does not is a *gap* with its reason, never zero.  For each figure
the worst of those that know it counts, under the name of its source.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.runbook.samples import Gap, Sample

MINUTE = 60.0


class Figure(StrEnum):
    """One thing that is measured, by the name of its field in ``Reading`` and ``Sample``."""

    ERROR_RATE = "error_rate"
    FAILED_RATE = "failed_rate"
    P95 = "p95_ms"
    LATENCY = "latency_ms"
    POOL = "pool"
    THROUGHPUT = "throughput"

    @property
    def share(self) -> bool:
        """Is it a fraction of 1?"""
        return self in (Figure.ERROR_RATE, Figure.FAILED_RATE, Figure.POOL)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one source knows of a target now; ``None`` where it has no data.

    Rates and pool are fractions of 1, times milliseconds (``latency_ms``: the database's, 95th percentile), throughput
    requests per minute.  ``gaps`` name the figures that it should know and does not.
    """

    source: str
    error_rate: float | None = None
    failed_rate: float | None = None
    p95_ms: float | None = None
    latency_ms: float | None = None
    pool: float | None = None
    throughput: float | None = None
    gaps: tuple[Gap, ...] = ()

    def value(self, figure: Figure) -> float | None:
        """The figure, as far as it is known."""
        found: float | None = getattr(self, figure)
        return found


def reading(source: str, found: Iterable[tuple[Figure, float | None, str]]) -> Reading:
    """A reading of figures, each with its value or the reason why there is none; what cannot be is no data."""
    values: dict[str, float] = {}
    gaps: list[Gap] = []
    for figure, value, why in found:
        if value is None:
            gaps.append(Gap(source=source, figure=figure, why=why))
        elif value < 0 or (figure.share and value > 1):
            gaps.append(Gap(source=source, figure=figure, why=_impossible(figure, value)))
        else:
            values[figure] = value
    return Reading(source=source, gaps=tuple(gaps), **values)


def _impossible(figure: Figure, value: float) -> str:
    return f"{value:g} is no share between 0 and 1" if figure.share else f"{value:g} is below zero"


def silent(source: str, why: str) -> Reading:
    """The reading of a source that could not be asked at all."""
    return Reading(source=source, gaps=(Gap(source=source, why=why),))


def together(sample: Sample, readings: Sequence[Reading]) -> Sample:
    """The built-in measurement and the readings as one sample: of each figure the worst, with its source."""
    worst = {figure: _worst(figure, sample, readings) for figure in Figure}
    return replace(
        sample,
        error_rate=worst[Figure.ERROR_RATE][0],
        failed_rate=worst[Figure.FAILED_RATE][0],
        p95_ms=worst[Figure.P95][0],
        latency_ms=worst[Figure.LATENCY][0],
        pool=worst[Figure.POOL][0],
        throughput=worst[Figure.THROUGHPUT][0],
        sources=tuple((figure.value, source) for figure, (_, source) in worst.items() if source),
        gaps=tuple(gap for each in readings for gap in each.gaps),
    )


def _worst(figure: Figure, sample: Sample, readings: Sequence[Reading]) -> tuple[float | None, str]:
    """More is worse, but for throughput; between equals the built-in measurement counts."""
    own: float | None = getattr(sample, figure)
    values = [(own, ""), *((each.value(figure), each.source) for each in readings)]
    known = [(value, source) for value, source in values if value is not None]
    if not known:
        return None, ""
    choose = min if figure is Figure.THROUGHPUT else max
    return choose(known, key=lambda each: each[0])
