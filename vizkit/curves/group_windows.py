"""Windows of the means of groups of runs, from all of their points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkit.curves.expressions import curve_bounds
from vizkit.curves.means import Band, Center, Mean, mean_of
from vizkit.curves.smoothing import Smoothing, smoothed
from vizkit.curves.windows import FEW, Columns, Points, Trace, columns_of, pixel_places
from vizkit.metrics.arrays import Floats, Ints

__all__ = ["GroupWindow", "group_window", "trace_bounds"]

_POINTS = 1 << 22  # that are at hand at once


@dataclass(frozen=True, eq=False)
class GroupWindow:
    """The window of a mean: its points, or its pixel columns.

    Attributes:
        drawn: the mean.
        low, high: ends of the band at each point, or the least and greatest of each column; None without.
        reach: number of runs in the mean; the least of each column.
    """

    drawn: Points | Columns
    low: Floats | None
    high: Floats | None
    reach: Ints


def trace_bounds(tag: str, traces: Sequence[Trace]) -> tuple[float, float]:
    """The bounds of a metric with these curves, as of `curve_bounds`."""
    ends = [trace.extremes for trace in traces if len(trace)]
    least, greatest = min((low for low, _ in ends), default=0.0), max((high for _, high in ends), default=0.0)
    return curve_bounds(tag, least, greatest)


def group_window(
    traces: Sequence[Trace],
    start: float,
    end: float,
    width: int,
    *,
    center: Center,
    band: Band | None,
    bounds: tuple[float, float],
    how: Smoothing,
    log: bool = False,
) -> GroupWindow:
    """The window of the mean of curves, as of `Trace.window`; where x goes back, they are taken by x."""
    first, last = start, end
    if how:  # points beyond the window count
        ranges = [ends for trace in traces if (ends := trace.range)]
        first, last = min(low for low, _ in ranges), max(high for _, high in ranges)
    mean = _mean(traces, first, last, center, band, bounds)
    y, low, high = (
        None if one is None else smoothed(one, how, mean.x) for one in (mean.y, mean.low, mean.high)
    )
    assert y is not None
    places = pixel_places(mean.x, start, end, width, log=log)
    inside = slice(int(places[0]), int(places[-1]))
    if inside.stop - inside.start <= FEW * width:
        sides = [None if one is None else one[inside] for one in (low, high)]
        return GroupWindow(Points(mean.x[inside], y[inside]), sides[0], sides[1], mean.n[inside])
    starts = places[:-1][np.diff(places) > 0]
    return GroupWindow(
        columns_of(mean.x, y, places),
        None if low is None else np.fmin.reduceat(low[: inside.stop], starts),
        None if high is None else np.fmax.reduceat(high[: inside.stop], starts),
        np.minimum.reduceat(mean.n[: inside.stop], starts),
    )


def _mean(
    traces: Sequence[Trace],
    start: float,
    end: float,
    center: Center,
    band: Band | None,
    bounds: tuple[float, float],
) -> Mean:
    """The mean over [start, end], stretch by stretch if there are many points."""
    total = sum(int(np.diff(pixel_places(trace.x, start, end, 1))[0]) for trace in traces)
    edges = np.linspace(start, end, -(-total // _POINTS) + 1 if total else 2)
    edges[-1] = np.nextafter(end, np.inf)
    parts = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        curves = [curve for trace in traces if len((curve := trace.stretch(low, high))[0])]
        if curves:
            parts.append(mean_of(curves, center=center, band=band, bounds=bounds, inside=(low, high)))
    if not parts:
        return Mean(np.empty(0), np.empty(0), None, None, np.zeros(0, np.int64))
    lows, highs = (
        [edge for part in parts if (edge := getattr(part, name)) is not None] for name in ("low", "high")
    )
    return Mean(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate(lows) if lows else None,
        np.concatenate(highs) if highs else None,
        np.concatenate([part.n for part in parts]),
    )
