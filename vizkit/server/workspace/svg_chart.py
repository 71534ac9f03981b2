"""Charts as SVG: lines, bands, axes, ticks, gaps, marks for NaN, and tooltips with the values at a place.

Colours and dashes are classes (``c0`` ... and ``d0`` ...), as the page's policy forbids inline styles.
Lines go through the extremes of each column of pixels, so that a spike of one point is visible.
"""

from __future__ import annotations

import html
import math
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vizkit.curves.curves import Curve, CurvesData
from vizkit.media.palette import SHADES, lap
from vizkit.metrics.arrays import Floats
from vizkit.metrics.downsampling import evenly
from vizkit.runs.formatting import clean
from vizkit.runs.sparkline import extremes

__all__ = ["Axis", "StillChart", "draw_chart", "line_classes"]

_WIDTH, _HEIGHT = 860, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 14, 12, 44
_MAX_COLUMNS = 700
_POINTS = 8_000  # of all lines together, about
_PROBES = 60
_PROBED = 12  # lines in one tooltip
_DASHES = 4


class Axis(NamedTuple):
    """An axis: its ends, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def shares(self, values: Floats) -> Floats:
        """Positions of values, from 0 to 1; NaN stays, values outside are clipped."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            if self.log:
                places = (np.log10(values) - math.log10(self.low)) / (
                    math.log10(self.high) - math.log10(self.low)
                )
                places[values <= 0] = np.nan
            else:  # a difference of floats may overflow; half of the smallest is 0
                half = 1.0 if math.isfinite(self.high - self.low) else 0.5
                places = (values * half - self.low * half) / (self.high * half - self.low * half)
        return np.clip(places, 0.0, 1.0)

    def ticks(self, most: int) -> list[float]:
        """Round values along the axis, at most about ``most``."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last - first >= 1:
                stride = (last - first) // most + 1
                return [10.0**power for power in range(first, last + 1, stride)]
        span = self.high - self.low
        if not math.isfinite(span):
            return [self.low, self.high]
        raw = span / most
        power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
        stride_ = next((m * power for m in (1, 2, 5, 10) if m * power >= raw), power)
        start = math.ceil(self.low / stride_ - 1e-9)
        count = int((self.high - start * stride_) / stride_ + 1e-9) + 1
        return [(start + k) * stride_ for k in range(max(min(count, 3 * most), 0))]


class StillChart(NamedTuple):
    """A drawn chart.

    Attributes:
        svg: the element.
        lines: classes and data of each line, for a legend.
        nan: number of recorded values that are NaN.
        hidden: number of values that the logarithmic axis cannot show.
    """

    svg: str
    lines: list[tuple[str, Curve]]
    nan: int
    hidden: int


def line_classes(position: int) -> str:
    """CSS classes of the colour and dash of a run at a place of the palette."""
    return f"c{position % SHADES} d{lap(position) % _DASHES}"


def draw_chart(data: CurvesData, *, log_y: bool = False, label: str, x_label: str) -> StillChart:
    """Draw the curves of a scalar tag; ``label`` describes them to screen readers."""
    x = _axis([line.x for line in data.series])
    drawn = [part for line in data.series for part in (line.y, line.low, line.high) if part is not None]
    y = _with_room(_axis(drawn, log_y))
    lines = [(line_classes(line.position), line) for line in data.series]
    columns = max(min(_MAX_COLUMNS, _POINTS // max(len(lines), 1)), 60)
    parts = [*_grid(x, y, x_label, data.tag)]
    parts += [
        f'<path class="band {name}" d="{path}"/>'
        for name, line in lines
        if (path := _band(line, x, y, columns))
    ]
    for name, line in lines:
        path, marks = _line(line, x, y, columns)
        dotted = ""
        if line.fewer.any():
            whole, part = line.parts(line.y)
            path, _ = _line(replace(line, y=whole), x, y, columns)
            dotted, _ = _line(replace(line, y=part), x, y, columns)
        parts.append(f'<path class="line {name}" d="{path}"/>')
        if dotted:
            parts.append(f'<path class="line partial {name}" d="{dotted}"/>')
        if marks:
            parts.append(f'<path class="nan" d="{marks}"/>')
    parts += _probes(data, x, x_label)
    svg = (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{html.escape(clean(label, 200))}">{"".join(parts)}</svg>'
    )
    nan = sum(int(np.isnan(line.y).sum()) for line in data.series)
    return StillChart(svg, lines, nan, data.hidden)


def _axis(parts: list[Floats], log: bool = False) -> Axis:
    every = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if parts else np.empty(0)
    every = every[np.isfinite(every) & ((every > 0) | (not log))]
    if not len(every):
        return Axis(1.0, 10.0, True) if log else Axis(0.0, 1.0)
    low, high = float(every.min()), float(every.max())
    if low == high:
        if log:
            return Axis(low / 2, high * 2 if math.isfinite(high * 2) else high, True)
        room = abs(low) / 10 or 1.0
        return Axis(low - room, high + room if math.isfinite(high + room) else high)
    if log and low < 1e-300:
        low = min(1e-300, high / 2)
    return Axis(low, high, log)


def _with_room(axis: Axis) -> Axis:
    """The axis with a margin, so that no value lies on the rim."""
    if axis.log:
        room = (axis.high / axis.low) ** 0.04
        low, high = axis.low / room, axis.high * room
    else:
        room = 0.04 * (axis.high / 2 - axis.low / 2) * 2
        low, high = axis.low - room, axis.high + room
    return Axis(low, high, axis.log) if math.isfinite(high - low) and low < high else axis


def _across(x: Axis, values: Floats) -> Floats:
    return np.round(_LEFT + x.shares(values) * (_WIDTH - _LEFT - _RIGHT), 1)


def _up(y: Axis, values: Floats) -> Floats:
    return np.round(_TOP + (1 - y.shares(values)) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _grid(x: Axis, y: Axis, x_label: str, y_label: str) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    parts = []
    ticks = y.ticks(6)
    for text, place in zip(_labels(ticks), _up(y, np.array(ticks, dtype=np.float64)).tolist(), strict=True):
        parts.append(f'<path class="grid" d="M{_LEFT} {place:g}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{place + 4:g}" text-anchor="end">{text}</text>')
    ticks = x.ticks(9)
    places = _across(x, np.array(ticks, dtype=np.float64)).tolist()
    for text, place in zip(_labels(ticks), places, strict=True):
        parts.append(f'<path class="axis" d="M{place:g} {bottom}v5"/>')
        parts.append(f'<text x="{place:g}" y="{bottom + 19}" text-anchor="middle">{text}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {bottom}H{_WIDTH - _RIGHT}"/>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text class="name" x="{middle:g}" y="{_HEIGHT - 6}" text-anchor="middle">'
        f"{html.escape(x_label)}</text>"
    )
    parts.append(
        f'<text class="name" transform="translate(13 {(_TOP + bottom) / 2:g}) rotate(-90)" '
        f'text-anchor="middle">{html.escape(clean(y_label, 40))}</text>'
    )
    return parts


def _labels(ticks: list[float]) -> list[str]:
    """Labels of as few digits as are needed; thousands and millions as k and M."""
    greatest = max((abs(tick) for tick in ticks), default=0)
    for least, size, unit in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if least <= greatest < 1e9 and all(float(f"{tick / size:.3g}") * size == tick for tick in ticks):
            return [f"{tick / size:.3g}{unit}" if tick else "0" for tick in ticks]
    for digits in range(4, 17):
        texts = [f"{tick:.{digits}g}" for tick in ticks]
        if len(set(texts)) == len(texts):
            return texts
    return texts


def _line(line: Curve, x: Axis, y: Axis, columns: int) -> tuple[str, str]:
    """The path of a line, and that of the marks of NaN; NaN leaves gaps."""
    values = np.where((line.y > 0) | np.isnan(line.y), line.y, np.nan) if y.log else line.y
    if not len(values):
        return "", ""
    bottom = _HEIGHT - _BOTTOM
    along = np.maximum.accumulate(line.x)  # a clock may have been set back
    across = _across(x, along)
    wide = float(across[-1] - across[0])
    if len(values) <= 2 * columns or not wide > 0:
        places, heights = across, _up(y, values)[:, None]
        marks = across[np.isnan(line.y)]
    else:
        count = max(int(columns * wide / (_WIDTH - _LEFT - _RIGHT)), 1)
        part = extremes(values, count, along)
        places = np.round(across[0] + (part.column + 0.5) * wide / count, 1)
        rising = np.abs(part.first - part.high) < np.abs(part.first - part.low)
        near, far = np.where(rising, part.high, part.low), np.where(rising, part.low, part.high)
        heights = np.stack([_up(y, v) for v in (part.first, near, far, part.last)], axis=1)
        there = extremes(line.y, count, along)
        marks = places[there.nan > 0]
    out: list[str] = []
    broken = True
    for place, column in zip(places.tolist(), heights.tolist(), strict=True):
        if column[0] != column[0]:
            broken = True
            continue
        out.append(f"{'M' if broken else 'L'}{place:g} {column[0]:g}")
        out += [f"V{height:g}" for before, height in pairwise(column) if height != before]
        if broken:
            out.append("h0")  # makes a single point visible
        broken = False
    return "".join(out), "".join(f"M{place:g} {bottom}v-7" for place in dict.fromkeys(marks.tolist()))


def _band(line: Curve, x: Axis, y: Axis, columns: int) -> str:
    """The path of the area between ``low`` and ``high``, with a piece for each part between gaps."""
    if line.low is None or line.high is None or not len(line.x):
        return ""
    places, low, high = line.x, line.low, line.high
    if y.log:  # a lower end that is not above 0 is at the rim
        low = np.where(low <= 0, y.low, low)
    if len(places) > 2 * columns:
        below, above = extremes(low, columns, places), extremes(high, columns, places)
        places = places[0] + (below.column + 0.5) * (places[-1] - places[0]) / columns
        low, high = below.low, above.high
    across, bottom, top = _across(x, places), _up(y, low), _up(y, high)
    there = ~(np.isnan(bottom) | np.isnan(top))
    ends = np.flatnonzero(np.diff(np.concatenate(([0], there.astype(np.int8), [0]))))
    out = []
    for start, end in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True):
        forth, back = (
            [f"{a:g} {b:g}" for a, b in zip(across[start:end].tolist(), rim[start:end].tolist(), strict=True)]
            for rim in (top, bottom)
        )
        out.append("M" + "L".join(forth + back[::-1]) + "Z")
    return "".join(out)


def _probes(data: CurvesData, x: Axis, x_label: str) -> list[str]:
    """Strips over the drawing, each with a tooltip of the recorded values nearest to its middle."""
    every = [line for line in data.series[:_PROBED] if len(line.x)]
    if not every:
        return []
    known = np.unique(np.concatenate([line.x for line in every]))
    known = known[np.isfinite(known)]
    if not len(known):
        return []
    known = evenly(known, _PROBES)
    places = _across(x, known)
    edges = np.concatenate(([_LEFT], (places[1:] + places[:-1]) / 2, [_WIDTH - _RIGHT]))
    columns = []
    for line in every:
        order = np.argsort(line.x, kind="stable")
        index = order[np.clip(np.searchsorted(line.x[order], known, side="right") - 1, 0, None)]
        outside = (known < line.x.min()) | (known > line.x.max())
        name = clean(line.name, 40)
        texts = [f"{name}: {value:.5g}" for value in line.y[index].tolist()]
        if line.n is not None and line.runs > 1:
            counts = line.n[index].tolist()
            texts = [f"{text} (n = {count})" for text, count in zip(texts, counts, strict=True)]
        columns.append(["" if out else text for out, text in zip(outside, texts, strict=True)])
    unit = f" {data.unit}" if data.unit else ""
    height = _HEIGHT - _TOP - _BOTTOM
    parts = []
    for k, place in enumerate(known.tolist()):
        texts = [f"{x_label} {place:g}{unit}", *(column[k] for column in columns if column[k])]
        title = html.escape("\n".join(texts))
        left, right = round(float(edges[k]), 1), round(float(edges[k + 1]), 1)
        if right > left:
            parts.append(
                f'<rect class="probe" x="{left:g}" y="{_TOP}" width="{right - left:g}" height="{height}">'
                f"<title>{title}</title></rect>"
            )
    return parts
