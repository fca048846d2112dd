"""A picture of its file's text: each figure in a panel of its own, on white paper, so that it reads on light and dark.

Drawn twice as large and made smaller, which smooths the lines; the font is the one that comes with Pillow.
"""

import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from bot.ports import Attachment
from bot.views.report.charts import shown

WIDTH, PANEL, HEAD, GAP = 1200, 230, 52, 16  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 44, 30  # inside a panel
_TWICE = 2
_INK, _SOFT, _GRID, _PAPER, _LINE, _LIMIT = "#1d1c1d", "#616061", "#e4e4e4", "#ffffff", "#1264a3", "#c01343"
_DASH = 8


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where one panel is, and how moments and values lie in it; values from zero up."""

    x: int
    y: int
    width: int
    begin: float
    end: float
    top: float

    @property
    def floor(self) -> int:
        return self.y + PANEL - _BOTTOM

    def at(self, moment: float) -> float:
        share = (moment - self.begin) / (self.end - self.begin) if self.end > self.begin else 0.5
        return self.x + _LEFT + share * (self.width - _LEFT - _RIGHT)

    def of(self, value: float) -> float:
        return self.floor - value / self.top * (PANEL - _TOP - _BOTTOM)


class Pen:
    """Draws in the picture's own pixels, twice as large."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._fonts = {size: ImageFont.load_default(size * _TWICE) for size in (13, 16, 20)}

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: int = 1) -> None:
        self._draw.line([(x * _TWICE, y * _TWICE) for x, y in points], fill=colour, width=width * _TWICE, joint="curve")

    def dot(self, x: float, y: float, colour: str) -> None:
        self._draw.circle((x * _TWICE, y * _TWICE), 2 * _TWICE, fill=colour)

    def dashes(self, x: float, end: float, y: float, colour: str) -> None:
        while x < end:
            self.line([(x, y), (min(x + _DASH, end), y)], colour)
            x += 2 * _DASH

    def text(self, x: float, y: float, words: str, colour: str = _SOFT, size: int = 13, anchor: str = "ls") -> None:
        self._draw.text((x * _TWICE, y * _TWICE), words, fill=colour, font=self._fonts[size], anchor=anchor)


def draw(file: Attachment) -> bytes:
    """PNG, 1200 pixels wide."""
    charts: list[Mapping[str, Any]] = json.loads(file.text)
    columns = min(2, len(charts))
    rows = -(-len(charts) // columns)
    height = HEAD + rows * (PANEL + GAP)
    image = Image.new("RGB", (WIDTH * _TWICE, height * _TWICE), _PAPER)
    pen = Pen(image)
    pen.text(GAP, 34, file.title, _INK, 20)
    width = (WIDTH - (columns + 1) * GAP) // columns
    for number, chart in enumerate(charts):
        x, y = GAP + number % columns * (width + GAP), HEAD + number // columns * (PANEL + GAP)
        _panel(pen, chart, _frame(chart, x, y, width))
    out = io.BytesIO()
    image.resize((WIDTH, height), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _frame(chart: Mapping[str, Any], x: int, y: int, width: int) -> Frame:
    moments = [each["at"] for each in chart["points"]]
    values = [each["value"] for each in chart["points"] if each["value"] is not None]
    top = max([*values, chart["limit"] or 0.0]) * 1.15 or 1.0
    return Frame(x=x, y=y, width=width, begin=moments[0], end=moments[-1], top=top)


def _panel(pen: Pen, chart: Mapping[str, Any], frame: Frame) -> None:
    left, right = frame.x + _LEFT, frame.x + frame.width - _RIGHT
    values = [each["value"] for each in chart["points"] if each["value"] is not None]
    pen.text(left, frame.y + 22, chart["title"], _INK, 16)
    pen.text(right, frame.y + 22, f"now {shown(values[-1], chart['unit'])}", _INK, 16, "rs")
    for value in (0.0, frame.top / 2.3, frame.top / 1.15):
        pen.line([(left, frame.of(value)), (right, frame.of(value))], _GRID)
        pen.text(left - 8, frame.of(value), shown(value, chart["unit"]), anchor="rm")
    for moment, anchor in ((frame.begin, "ls"), (frame.end, "rs")):
        pen.text(frame.at(moment), frame.floor + 20, _clock(moment), anchor=anchor)
    inside = [(moment, word) for moment, word in chart["marks"] if frame.begin <= moment <= frame.end]
    for number, (moment, word) in enumerate(inside):
        _mark(pen, frame, moment, word, number)
    if chart["limit"] is not None:
        pen.dashes(left, right, frame.of(chart["limit"]), _LIMIT)
        pen.text(
            right, frame.of(chart["limit"]) - 4, f"threshold {shown(chart['limit'], chart['unit'])}", _LIMIT, 13, "rs"
        )
    for stretch in _stretches(chart["points"]):
        drawn = [(frame.at(moment), frame.of(value)) for moment, value in stretch]
        if len(drawn) > 1:
            pen.line(drawn, _LINE, 2)
        else:
            pen.dot(*drawn[0], _LINE)


def _mark(pen: Pen, frame: Frame, moment: float, word: str, number: int) -> None:
    """A moment of the run; its word is turned inwards where there is no room to the right, each a line lower."""
    x = frame.at(moment)
    pen.line([(x, frame.y + _TOP - 8), (x, frame.floor)], _SOFT)
    inside = x > frame.x + frame.width - 90
    pen.text(x - 4 if inside else x + 4, frame.y + _TOP + number % 3 * 15, word, anchor="rs" if inside else "ls")


def _stretches(points: Sequence[Mapping[str, Any]]) -> list[list[tuple[float, float]]]:
    """Without what was not measured: a hole is not drawn."""
    found: list[list[tuple[float, float]]] = [[]]
    for each in points:
        if each["value"] is None:
            found.append([])
        else:
            found[-1].append((each["at"], each["value"]))
    return [each for each in found if each]


def _clock(moment: float) -> str:
    return time.strftime("%H:%M", time.gmtime(moment))
