"""Charts of measurements: as a line drawn in SVG, and the same in words.

SVG 1.1 ``polyline``; colours are the page's own variables, so a chart is read in light and dark and on paper.
"""

from collections.abc import Iterator, Sequence
from html import escape
from statistics import median

from bot.views.report.document import Chart, Point
from bot.views.timeline import stamp

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 200, 64, 12, 14, 28
_EDGE = 90  # so much room a word needs to the right


def in_words(chart: Chart) -> str:
    """What the line shows: how many measurements, the middle one, the extremes, and the threshold."""
    values = chart.values
    if not values:
        return "nothing was measured."
    limit = "" if chart.limit is None else f"; threshold {shown(chart.limit, chart.unit)}"
    over = 0 if chart.limit is None else sum(each > chart.limit for each in values)
    return (
        f"{len(values)} measurements, lowest {shown(min(values), chart.unit)}, median"
        f" {shown(median(values), chart.unit)}, highest {shown(max(values), chart.unit)}, last"
        f" {shown(values[-1], chart.unit)}{limit}{f', exceeded {over} times' if over else ''}."
    )


def shown(value: float, unit: str) -> str:
    """A figure with its unit, e.g. ``0.4 %`` or ``210 ms``."""
    return f"{value:.3g} {unit}" if abs(value) < 999.5 else f"{value:.0f} {unit}"


def svg(chart: Chart) -> str:
    """The drawing; its description says in words what is to be seen."""
    scale = _Scale(chart)
    said = escape(f"{chart.title}: {in_words(chart)}")
    return "".join(
        (
            f'<svg role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-label="{said}"><title>{said}</title>',
            *_frame(chart, scale),
            *(_line(run, scale) for run in _unbroken(chart.points)),
            *(_mark(at, word, scale) for at, word in chart.marks if scale.begin <= at <= scale.end),
            "</svg>",
        )
    )


class _Scale:
    """Where a moment and a value are on the drawing; from zero up, so that nothing looks larger than it is."""

    def __init__(self, chart: Chart) -> None:
        self.begin, self.end = chart.points[0].at, chart.points[-1].at
        self.top = max((*chart.values, chart.limit or 0.0)) * 1.1 or 1.0

    def x(self, at: float) -> float:
        share = (at - self.begin) / (self.end - self.begin) if self.end > self.begin else 0.5
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(_HEIGHT - _BOTTOM - value / self.top * (_HEIGHT - _TOP - _BOTTOM), 1)


def _frame(chart: Chart, scale: _Scale) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    yield f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>'
    for value in (0.0, scale.top / 2.2, scale.top / 1.1):
        label = escape(shown(value, chart.unit))
        yield f'<text class="small" x="{_LEFT - 6}" y="{scale.y(value) + 4}" text-anchor="end">{label}</text>'
    for at, anchor in ((scale.begin, "start"), (scale.end, "end")):
        yield f'<text class="small" x="{scale.x(at)}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{stamp(at)[11:]}</text>'
    if chart.limit is not None:
        y = scale.y(chart.limit)
        yield f'<line class="limit" x1="{_LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
        yield f'<text class="small" x="{right - 60}" y="{y + 12}" text-anchor="end">threshold</text>'


def _unbroken(points: Sequence[Point]) -> Iterator[list[tuple[float, float]]]:
    """Stretches without a hole: what was not measured is not drawn."""
    stretch: list[tuple[float, float]] = []
    for each in points:
        if each.value is not None:
            stretch.append((each.at, each.value))
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _line(points: Sequence[tuple[float, float]], scale: _Scale) -> str:
    if len(points) == 1:
        ((at, value),) = points
        return f'<circle class="dot" cx="{scale.x(at)}" cy="{scale.y(value)}" r="2"/>'
    drawn = " ".join(f"{scale.x(at)},{scale.y(value)}" for at, value in points)
    return f'<polyline class="line" points="{drawn}"/>'


def _mark(at: float, word: str, scale: _Scale) -> str:
    x = scale.x(at)
    line = f'<line class="mark" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
    place = f'x="{x + 3}"' if x < _WIDTH - _EDGE else f'x="{x - 3}" text-anchor="end"'  # never cut off at the edge
    return f'{line}<text class="small" {place} y="{_TOP + 8}">{escape(word)}</text>'
