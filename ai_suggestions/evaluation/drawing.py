"""Charts of a report as inline SVG: no script, no font, no file beside it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from ai_suggestions.evaluation.figures import Bin, CurvePoint, Share

_BLUE, _GREY, _ORANGE, _INK = "#1f5f99", "#c9ced6", "#b4540a", "#333a45"
_LEFT, _TOP, _SIDE, _BOTTOM = 52, 14, 300, 46
_STRIP = 54  # height of the histogram below a plot
_TARGET = 0.95
# Told apart by colour-blind people too (Okabe and Ito, Color Universal Design, 2008).
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MOST_LINES = 12
_NAME = 27  # characters of a name in the legend
_ENOUGH = 0.05  # coverage from which on a precision is more than chance


class _Canvas:
    """An SVG of that many pixels. ElementTree escapes what is written into it."""

    def __init__(self, title: str, width: int, height: int) -> None:
        self._svg = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {width} {height}",
                "width": str(width),
                "height": str(height),
                "role": "img",
                "font-family": "sans-serif",
                "font-size": "12",
                "fill": _INK,
            },
        )
        ET.SubElement(self._svg, "title").text = title

    def add(self, tag: str, **attributes: str | float) -> ET.Element:
        """A shape at pixels; `_` in a name stands for `-`."""
        shown = {
            name.replace("_", "-"): value if isinstance(value, str) else f"{value:.1f}"
            for name, value in attributes.items()
        }
        return ET.SubElement(self._svg, tag, shown)

    def text(self, words: str, x: float, y: float, **style: str | float) -> None:
        """Words at pixels."""
        self.add("text", x=x, y=y, **style).text = words

    def done(self) -> str:
        """The markup."""
        return ET.tostring(self._svg, encoding="unicode")


class _Plot(_Canvas):
    """A square of data between two ranges, with axes."""

    def __init__(
        self, title: str, x: tuple[float, float], y: tuple[float, float], *, more_height: int = 0
    ) -> None:
        super().__init__(title, _LEFT + _SIDE + 16, _TOP + _SIDE + _BOTTOM + more_height)
        self._x, self._y = x, y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Data as pixels."""
        along = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        return _LEFT + along * _SIDE, _TOP + (1 - up) * _SIDE

    def line(self, start: tuple[float, float], end: tuple[float, float], **style: str | float) -> None:
        """From one point of the data to another."""
        (x1, y1), (x2, y2) = self.at(*start), self.at(*end)
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, **style)

    def axes(self, x_name: str, y_name: str, *, y_steps: int) -> None:
        """Grid, numbers and names."""
        for step in range(6):
            value = self._x[0] + (self._x[1] - self._x[0]) * step / 5
            self.line((value, self._y[0]), (value, self._y[1]), stroke=_GREY, stroke_width="0.5")
            self.text(f"{value:.1f}", self.at(value, 0)[0], _TOP + _SIDE + 16, text_anchor="middle")
        for step in range(y_steps + 1):
            value = self._y[0] + (self._y[1] - self._y[0]) * step / y_steps
            self.line((self._x[0], value), (self._x[1], value), stroke=_GREY, stroke_width="0.5")
            self.text(
                f"{value:.2f}".removesuffix("0"), _LEFT - 6, self.at(0, value)[1] + 4, text_anchor="end"
            )
        self.text(x_name, _LEFT + _SIDE / 2, _TOP + _SIDE + 36, text_anchor="middle")
        middle = _TOP + _SIDE / 2
        self.text(y_name, 12, middle, text_anchor="middle", transform=f"rotate(-90 12 {middle})")


def reliability_chart(bins: Sequence[Bin]) -> str:
    """Share right over confidence, with intervals; on the diagonal, confidence means what it says."""
    plot = _Plot("Calibration: share right over confidence", (0, 1), (0, 1), more_height=_STRIP)
    plot.axes("confidence", "share right", y_steps=5)
    plot.line((0, 0), (1, 1), stroke=_ORANGE, stroke_dasharray="5 4")
    most = max((entry.right.n for entry in bins), default=1)
    floor = _TOP + _SIDE + _BOTTOM + _STRIP - 16
    for entry in bins:
        share, interval = entry.right.value or 0.0, entry.right.interval or (0.0, 1.0)
        plot.line((entry.confidence, interval[0]), (entry.confidence, interval[1]), stroke=_BLUE)
        x, y = plot.at(entry.confidence, share)
        plot.add("circle", cx=x, cy=y, r=4, fill=_BLUE)
        left, right = plot.at(entry.low, 0)[0], plot.at(entry.high, 0)[0]
        tall = max(1.0, (_STRIP - 24) * entry.right.n / most)
        plot.add("rect", x=left + 1, y=floor - tall, width=right - left - 2, height=tall, fill=_BLUE)
    plot.text(f"how often each confidence occurs (highest bar: {most})", _LEFT, floor + 13, font_size="11")
    return plot.done()


def coverage_chart(curve: Sequence[CurvePoint], coverage_at_95: float | None) -> str:
    """Precision over coverage, from the surest photo on; with the part that may be filled in."""
    # The first few photos alone would decide the scale; what lies below the floor is drawn on it.
    lowest = min((point.precision for point in curve if point.coverage >= _ENOUGH), default=0.5)
    floor = max(0.0, min(0.8, math.floor(10 * lowest) / 10))
    plot = _Plot("Precision over coverage", (0, 1), (floor, 1))
    plot.axes("coverage: share of photos filled in", "precision: share of these that is right", y_steps=5)
    plot.line((0, _TARGET), (1, _TARGET), stroke=_ORANGE, stroke_dasharray="5 4")
    if coverage_at_95:
        plot.line((coverage_at_95, floor), (coverage_at_95, _TARGET), stroke=_ORANGE, stroke_dasharray="2 3")
        x, y = plot.at(coverage_at_95, _TARGET)
        plot.add("circle", cx=x, cy=y, r=4, fill=_ORANGE)
    places = [plot.at(point.coverage, max(floor, point.precision)) for point in curve]
    if len(places) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        plot.add("polyline", points=path, fill="none", stroke=_BLUE, stroke_width="2")
    elif places:
        plot.add("circle", cx=places[0][0], cy=places[0][1], r=4, fill=_BLUE)
    return plot.done()


def weekly_chart(series: Mapping[str, Sequence[tuple[dt.date, Share]]], weeks: Sequence[dt.date]) -> str:
    """Shares by week, a line for each name; the first MOST_LINES names in the order given."""
    width, height, left, right, bottom = 760, 270, 44, 210, 34
    canvas = _Canvas("Share accepted by week", width, height)
    across, down = width - left - right, height - bottom - 12

    def place(week: dt.date, value: float) -> tuple[float, float]:
        step = across / max(1, len(weeks) - 1)
        return left + step * weeks.index(week), 12 + (1 - value) * down

    for tick in range(6):
        y = 12 + down * tick / 5
        canvas.add("line", x1=left, y1=y, x2=left + across, y2=y, stroke=_GREY, stroke_width="0.5")
        canvas.text(f"{1 - tick / 5:.1f}", left - 6, y + 4, text_anchor="end")
    every = max(1, math.ceil(len(weeks) / 8))
    for week in weeks[::every]:
        canvas.text(f"{week:%d %b}", place(week, 0)[0], height - 14, text_anchor="middle")
    for row, (name, points) in enumerate(list(series.items())[:MOST_LINES]):
        colour, dashes = _LINES[row % len(_LINES)], "none" if row < len(_LINES) else "4 3"
        places = [place(week, share.value or 0.0) for week, share in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        canvas.add(
            "polyline", points=path, fill="none", stroke=colour, stroke_width="2", stroke_dasharray=dashes
        )
        for (x, y), (week, share) in zip(places, points, strict=True):
            dot = canvas.add("circle", cx=x, cy=y, r=3, fill=colour)
            ET.SubElement(dot, "title").text = f"{name}, {week:%d %b %Y}: {share.hits} of {share.n}"
        y = 20.0 + 19 * row
        canvas.add("rect", x=width - right + 16, y=y - 9, width=10, height=10, fill=colour)
        canvas.text(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…", width - right + 32, y)
    return canvas.done()


def interval_chart(rows: Sequence[tuple[str, float, tuple[float, float] | None]]) -> str:
    """Differences of shares with their intervals, around zero. Rows are (name, difference, interval)."""
    width, row_height, name_width = 640, 34, 190
    reach: float = (
        max([0.05, *(abs(end) for _, value, ends in rows for end in (value, *(ends or ())))]) * 1.15
    )
    height = row_height * len(rows) + 40
    canvas = _Canvas("Differences with 95 % intervals", width, height)

    def place(value: float) -> float:
        return name_width + (value + reach) / (2 * reach) * (width - name_width - 16)

    canvas.add("line", x1=place(0), y1=4, x2=place(0), y2=height - 30, stroke=_ORANGE, stroke_dasharray="5 4")
    for index, (name, value, ends) in enumerate(rows):
        y = 18.0 + index * row_height
        canvas.text(name, 0, y + 4)
        if ends is not None:
            canvas.add(
                "line", x1=place(ends[0]), y1=y, x2=place(ends[1]), y2=y, stroke=_BLUE, stroke_width="2"
            )
        canvas.add("circle", cx=place(value), cy=y, r=5, fill=_BLUE)
    for value in (-reach / 1.15, 0.0, reach / 1.15):
        canvas.text(f"{value:+.2f}", place(value), height - 10, text_anchor="middle")
    return canvas.done()
