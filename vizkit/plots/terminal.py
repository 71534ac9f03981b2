"""Curves drawn in the terminal with braille characters of eight dots."""

from __future__ import annotations

import itertools
import math
import string
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from vizkit._language import tr
from vizkit.curves.curves import CurvesData
from vizkit.curves.x_axis import X_LABELS
from vizkit.metrics.arrays import Bools, Floats
from vizkit.runs.formatting import exact_text, shorten_all, terminal_width, value_texts
from vizkit.runs.sparkline import extremes

__all__ = ["Drawing", "TextSpan", "draw", "series_of"]

_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # dots by row and column
_MARKS = "abcdefghijklmnopqrstuwyz" + string.ascii_uppercase + string.digits  # "x" is NaN, "v" -inf


class TextSpan(NamedTuple):
    """A piece of a row; ``series`` is the index of the curve that it belongs to, or -1."""

    text: str
    series: int = -1


@dataclass(frozen=True)
class Drawing:
    """A drawing made of characters; its rows are from the top."""

    rows: list[list[TextSpan]]

    def __str__(self) -> str:
        return "\n".join("".join(span.text for span in row).rstrip() for row in self.rows)


def draw(
    data: CurvesData, width: int = 80, height: int = 20, *, log: bool = False, plain: bool = True
) -> Drawing:
    """Draw curves.

    Every column of dots shows the lowest and highest value within it, so that no spike is lost. NaN is
    marked with an ``x`` at the bottom, infinities with ``^`` and ``v`` at the edges. The width is at least
    30 characters, the height (without the legend) at least 6 lines. In a ``plain`` drawing, for terminals
    without colours, each curve has a letter of its own.
    """
    width, height = max(width, 30), max(height, 6)
    lines = [_scaled(series.smooth, log) for series in data.series]
    low, high = _limits(lines, data, log)
    labels = _labels((high, low / 2 + high / 2, low), log)
    gutter = max(map(len, labels))
    canvas = _Canvas(width - gutter - 2, height - 3, letters=plain and len(data.series) > 1)
    places = [series.x[np.isfinite(series.x)] for series in data.series]
    left = min((float(x.min()) for x in places if len(x)), default=0.0)
    right = max((float(x.max()) for x in places if len(x)), default=1.0)
    for number, (series, y) in enumerate(zip(data.series, lines, strict=True)):
        if series.fewer.any():
            whole, part = series.parts(y)
            canvas.add(number, series.x, part, (left, right), (low, high), nan=np.isnan(y), dotted=True)
            canvas.add(number, series.x, whole, (left, right), (low, high), nan=np.isnan(y))
        else:
            canvas.add(number, series.x, y, (left, right), (low, high))
    middle = (height - 3) // 2
    shown = {0: labels[0], middle: labels[1], height - 4: labels[2]}
    rows = [[TextSpan(data.tag + (" (log)" if log else ""))]]
    for number, row in enumerate(canvas.rows()):
        rows.append([TextSpan(f"{shown.get(number, ''):>{gutter}} {'|' if plain else '│'}"), *row])
    line = "+" + "-" * canvas.width if plain else "└" + "─" * canvas.width
    rows.append([TextSpan(" " * (gutter + 1) + line)])
    rows.append([TextSpan(" " * (gutter + 2) + _x_axis(data, left, right, canvas.width))])
    rows += _legend(data, plain, width)
    if note := _note(data):
        rows.append([TextSpan(note)])
    return Drawing(rows)


def _scaled(values: Floats, log: bool) -> Floats:
    if not log:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log10(values), np.where(np.isnan(values), np.nan, -np.inf))


def _limits(lines: list[Floats], data: CurvesData, log: bool) -> tuple[float, float]:
    every = np.concatenate([y[np.isfinite(y)] for y in lines]) if lines else np.empty(0)
    if data.limits is not None:
        low, high = _scaled(np.array(data.limits), log).tolist()
    elif len(every):
        low, high = float(every.min()), float(every.max())
    else:
        return 0.0, 1.0
    if low == high:
        room = abs(low) / 2 or 0.5
        return (low - 1, high + 1) if log else (low - room, min(high + room, sys.float_info.max))
    return low, high


def _labels(values: Sequence[float], log: bool) -> list[str]:
    if not log:
        return value_texts(values)
    if all(abs(value) < 300 for value in values):
        return value_texts([10**value for value in values])
    return [f"{10 ** (value % 1):.4g}e{math.floor(value)}" for value in values]


def _x_axis(data: CurvesData, left: float, right: float, width: int) -> str:
    name = tr(X_LABELS[data.x]) if data.x in X_LABELS else data.x
    name += f" ({data.unit})" if data.unit else ""
    start, end = (_place_text(place, data.x) for place in (left, right))
    return start + name.center(width - len(start) - len(end) - terminal_width(name) + len(name)) + end


def _place_text(place: float, axis: str) -> str:
    if axis == "step":
        return exact_text(place)
    return _time_of_day(place) if axis == "walltime" else f"{place:.6g}"


def _time_of_day(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")[:19]
    except (OverflowError, OSError, ValueError):
        return f"{seconds:.6g}"


def _legend(data: CurvesData, plain: bool, width: int) -> Iterator[list[TextSpan]]:
    values = iter(value_texts([float(series.y[-1]) for series in data.series if len(series.y)], 6))
    for number, (series, label) in enumerate(
        zip(data.series, shorten_all(data.labels, max(width - 30, 20)), strict=True)
    ):
        mark = f"{_mark(number)} " if plain else "━━ "
        if plain and len(data.series) == 1:
            mark = ""
        last = "  " + tr("last {value}", value=next(values)) if len(series.y) else ""
        if last and series.n is not None and series.fewer[-1]:
            last += tr(" of {n}", n=series.n[-1])
        runs = f"  ({series.runs_text})" if series.runs > 1 else ""
        yield [TextSpan(mark, number), TextSpan(f"{label}{last}{runs}")]


def _note(data: CurvesData) -> str:
    values = np.concatenate([series.y for series in data.series]) if data.series else np.empty(0)
    counts = {
        "NaN (x)": int(np.isnan(values).sum()),
        "inf (^)": int(np.isposinf(values).sum()),
        "-inf (v)": int(np.isneginf(values).sum()),
        tr("above the axis"): data.above,
        tr("below it"): data.below,
        tr("not above 0 (v)"): data.hidden,
    }
    return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)


def _mark(number: int) -> str:
    return _MARKS[number % len(_MARKS)]


class _Canvas:
    """Dots, two by four a character; a character has the colour of the last curve in it."""

    def __init__(self, width: int, height: int, *, letters: bool) -> None:
        self.width, self.height = width, height
        self._letters = letters
        self._dotted = False
        self._bits = np.zeros((height, width), dtype=np.int64)
        self._owner = np.full((height, width), -1)
        self._marks: dict[tuple[int, int], str] = {}

    def add(
        self,
        number: int,
        x: Floats,
        y: Floats,
        across: tuple[float, float],
        up: tuple[float, float],
        *,
        nan: Bools | None = None,
        dotted: bool = False,
    ) -> None:
        """Draw one curve into the ranges of the two axes.

        Args:
            number: the index of the curve.
            x: (n,).
            y: (n,).
            across: the range of the x axis.
            up: the range of the y axis.
            nan: (n,) the points to mark as NaN; by default those of y.
            dotted: draw every other character only.
        """
        self._dotted = dotted
        there = np.isfinite(x)
        nan = np.isnan(y) if nan is None else nan
        x, y, nan = x[there], y[there], nan[there]
        if not len(x):
            return
        columns, rows = 2 * self.width, 4 * self.height
        first, last = (self._column(place, across) for place in (float(x.min()), float(x.max())))
        parts = extremes(np.where(np.isinf(y), np.nan, y), last - first + 1, x)
        span = up[1] / 2 - up[0] / 2  # the whole may overflow

        def height(values: Floats) -> Floats:
            return (rows - 1) - (np.clip(values, *up) / 2 - up[0] / 2) / span * (rows - 1)

        ends = zip(
            (parts.column + first).tolist(),
            *(height(part).tolist() for part in (parts.first, parts.last, parts.low, parts.high)),
            strict=True,
        )
        before: tuple[int, float] | None = None
        for column, start, end, low, high in ends:
            column = min(column, columns - 1)
            if low != low:  # NaN alone
                before = None
                continue
            if before is not None:
                self._line(number, before, (column, start))
            self._upright(number, column, high, low)
            before = (column, end)
        bottom = self.height - 1
        for test, mark, row in ((nan, "x", bottom), (np.isposinf(y), "^", 0), (np.isneginf(y), "v", bottom)):
            for place in x[test].tolist():
                self._marks[row, self._column(place, across) // 2] = mark

    def _column(self, place: float, across: tuple[float, float]) -> int:
        span = across[1] - across[0]
        return round((place - across[0]) / span * (2 * self.width - 1)) if span > 0 else 0

    def _line(self, number: int, start: tuple[int, float], end: tuple[int, float]) -> None:
        slope = (end[1] - start[1]) / max(end[0] - start[0], 1)
        for column in range(start[0], end[0] + 1):
            nearest = (max(column - 0.5, start[0]), min(column + 0.5, end[0]))
            self._upright(number, column, *(start[1] + slope * (at - start[0]) for at in nearest))

    def _upright(self, number: int, column: int, *ends: float) -> None:
        if self._dotted and column // 2 % 2:
            return
        for row in range(round(min(ends)), round(max(ends)) + 1):
            cell = (row // 4, column // 2)
            self._bits[cell] |= _BITS[row % 4][column % 2]
            self._owner[cell] = number

    def rows(self) -> Iterator[list[TextSpan]]:
        """The rows, from the top."""
        for row in range(self.height):
            cells = [self._cell(row, column) for column in range(self.width)]
            yield [
                TextSpan("".join(cell.text for cell in group), owner)
                for owner, group in itertools.groupby(cells, key=lambda cell: cell.series)
            ]

    def _cell(self, row: int, column: int) -> TextSpan:
        bits, owner = int(self._bits[row, column]), int(self._owner[row, column])
        if (row, column) in self._marks:
            return TextSpan(self._marks[row, column], owner)
        if not bits:
            return TextSpan(" ")
        return TextSpan(_mark(owner) if self._letters else chr(0x2800 + bits), owner)


def series_of(data: CurvesData) -> list[dict[str, object]]:
    """The numbers of a drawing as plain data: name, x, y, and ``smooth`` if it differs."""
    out: list[dict[str, object]] = []
    for series, label in zip(data.series, data.labels, strict=True):
        smooth = None if series.smooth is series.y else series.smooth
        optional = {"smooth": smooth, "low": series.low, "high": series.high, "n": series.n}
        out.append({"name": label, "runs": series.runs, "x": series.x, "y": series.y})
        out[-1] |= {name: values for name, values in optional.items() if values is not None}
    return out
