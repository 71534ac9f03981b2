"""Sparklines: curves drawn very small, as SVG or in block characters.

Both draw the extremes of each column of pixels, so that a spike of a single point stays visible.
"""

from __future__ import annotations

import html
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vizkit.metrics.arrays import Floats, Ints

__all__ = ["Extremes", "blocks", "extremes", "svg", "svg_path"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_NAN = "x"
_HEIGHT = 40  # units of the drawing


class Extremes(NamedTuple):
    """The columns of pixels that hold a point of a curve; float64 and int64 of one length.

    Attributes:
        column: the position of the column, ascending.
        first, last, low, high: values of its points, without NaN; NaN where all of them are NaN.
        nan: the number of its points that are NaN.
    """

    column: Ints
    first: Floats
    last: Floats
    low: Floats
    high: Floats
    nan: Ints


def extremes(values: ArrayLike, width: int, x: ArrayLike | None = None) -> Extremes:
    """The first, last, lowest and highest value of each of ``width`` columns.

    As in M4 (Jugel et al., 2014, "M4: a visualization-oriented time series data aggregation"), these
    four values a column draw the line as all points would.

    Args:
        values: (n,) real numbers.
        width: number of columns.
        x: (n,) positions in ascending order; the index of each value by default, or if ``x`` descends.
    """
    y = np.asarray(values, dtype=np.float64).ravel()
    n = len(y)
    if not n:
        empty = np.empty(0)
        return Extremes(np.empty(0, np.int64), empty, empty, empty, empty, np.empty(0, np.int64))
    place = np.arange(n, dtype=np.float64)
    if x is not None:
        given = np.asarray(x, dtype=np.float64).ravel()
        if len(given) == n and given[-1] > given[0] and (np.diff(given) >= 0).all():
            place = given
    with np.errstate(over="ignore", invalid="ignore"):
        share = (place - place[0]) / max(place[-1] - place[0], 1e-300)
    column = np.minimum(np.nan_to_num(share) * width, width - 1).astype(np.int64)
    found, starts = np.unique(column, return_index=True)
    nan = np.add.reduceat(np.isnan(y).astype(np.int64), starts)
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    first, last = y[starts], y[np.append(starts[1:], n) - 1]
    return Extremes(
        found, np.where(np.isnan(first), low, first), np.where(np.isnan(last), low, last), low, high, nan
    )


def _scaled(parts: Extremes) -> list[Floats]:
    """First, last, low and high scaled to 0 (bottom) to 1; infinities at the edges, NaN kept."""
    four = np.array([parts.first, parts.last, parts.low, parts.high])
    finite = four[np.isfinite(four)]
    bottom, top = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    with np.errstate(invalid="ignore", under="ignore"):
        half = top / 2 - bottom / 2  # the whole difference may overflow
        inner = (four / 2 - bottom / 2) / half if half > 0 else np.where(np.isnan(four), four, 0.5)
    return list(np.where(np.isposinf(four), 1.0, np.where(np.isneginf(four), 0.0, inner)))


def svg_path(values: ArrayLike, width: int = 40, x: ArrayLike | None = None) -> tuple[str, str]:
    """The SVG path of the line and of the NaN marks, on ``width`` x 40 units; gaps where all is NaN."""
    parts = extremes(values, width, x)
    first, last, low, high = (
        np.where(np.isnan(scaled), -1, np.rint((1 - scaled) * _HEIGHT)).astype(int).tolist()
        for scaled in _scaled(parts)
    )
    out: list[str] = []
    marks: list[str] = []
    broken = True
    for i, column in enumerate(parts.column.tolist()):
        if parts.nan[i]:
            marks.append(f"M{column} {_HEIGHT}v-6")
        if low[i] < 0:
            broken = True
            continue
        heights = [first[i]]
        near, far = low[i], high[i]
        if abs(first[i] - high[i]) < abs(first[i] - low[i]):
            near, far = far, near
        for height in (near, far, last[i]):
            if height != heights[-1]:
                heights.append(height)
        out.append(f"{'M' if broken else 'L'}{column} {heights[0]}" + "".join(f"V{h}" for h in heights[1:]))
        if broken and len(heights) == 1:
            out.append("h0")  # makes a single point visible
        broken = False
    return "".join(out).replace("h0L", "L"), "".join(marks)


def svg(values: ArrayLike, x: ArrayLike | None = None, *, columns: int = 40, label: str = "") -> str:
    """A sparkline as static SVG in the colour of the text around it; NaN is marked red at the bottom."""
    line, marks = svg_path(values, columns, x)
    thin = 'vector-effect="non-scaling-stroke"'
    mark = f'<path d="{marks}" stroke="#d62728" {thin}/>' if marks else ""
    return (
        f'<svg width="80" height="20" viewBox="-1 -2 {columns + 1} {_HEIGHT + 4}" preserveAspectRatio="none" '
        f'role="img" aria-label="{html.escape(label)}" fill="none" stroke="currentColor" '
        f'stroke-linecap="round"><path d="{line}" {thin}/>{mark}</svg>'
    )


def blocks(values: ArrayLike, width: int = 12) -> str:
    """A sparkline of up to ``width`` block characters, by index; ``x`` where all values are NaN."""
    count = np.size(np.asarray(values))
    parts = extremes(values, max(min(width, count), 1))
    if not count:
        return ""
    _, _, low, high = _scaled(parts)
    seen = [value for value in (*low, *high) if value == value]
    middle = float(np.median(seen)) if seen else 0.5
    out = []
    for bottom, top in zip(low, high, strict=True):
        value = top if top - middle >= middle - bottom else bottom
        out.append(_NAN if value != value else _BLOCKS[min(int(value * len(_BLOCKS)), len(_BLOCKS) - 1)])
    return "".join(out)
