"""Downsampling of long curves that keeps every peak, dip and gap.

What is kept are records, with their own x. The pixel columns of `vizkit.curves.windows` are no such: a figure
that is saved, enlarged or read again, and VisualDL's page, which shows a point's step and time, need records.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vizkit.metrics.arrays import AnyArray, Floats, Indices

__all__ = ["Thinned", "distinct", "evenly", "thinned"]


class Thinned(NamedTuple):
    """The points to draw.

    Attributes:
        x, y: float64 of shape (m,); y is NaN where the line has a gap.
        gaps_x: shape (k,), the x of values that are not finite, the first of equal neighbours.
        gaps_y: shape (k,), NaN, inf or -inf.
        places: shape (m,), which points they are.
    """

    x: Floats
    y: Floats
    gaps_x: Floats
    gaps_y: Floats
    places: Indices


def thinned(x: AnyArray, y: AnyArray, most: int = 8000, across: AnyArray | None = None) -> Thinned:
    """Keep the first, last, least and greatest of each group of neighbouring points.

    This is M4 (Jugel et al., PVLDB 7, 2014) over at most ``most / 4`` groups: equal stretches of x, so that
    none is coarse where points are sparse, and, where they are dense, of equal count too. MinMaxLTTB would
    look as good with fewer points, but drops one of two spikes side by side.

    Args:
        x: shape (n,), in the order of recording; where it goes back, groups are of equal count.
        y: shape (n,); values that are not finite break the line.
        most: about how many finite points are kept; curves of fewer stay as they are.
        across: shape (n,), where points stand on the axis, if not at x: its logarithm.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    finite = np.flatnonzero(np.isfinite(ys))
    kept = finite
    if len(finite) > most:
        stand = xs if across is None else np.asarray(across, dtype=np.float64)
        kept = finite[_m4(ys[finite], _groups(stand[finite], max(most // 4, 1)))]
    if len(finite) == len(ys):
        return Thinned(xs[kept], ys[kept], xs[:0], ys[:0], kept)
    broken = np.flatnonzero(~np.isfinite(ys))
    # Between two points that are kept, the first NaN, inf and -inf stand for the rest.
    kinds = np.nan_to_num(np.sign(ys[broken]), nan=0.0) + 1
    broken = broken[np.unique(3 * np.searchsorted(kept, broken) + kinds, return_index=True)[1]]
    order = np.sort(np.concatenate((kept, broken)))
    line = np.where(np.isfinite(ys), ys, np.nan)
    return Thinned(xs[order], line[order], xs[broken], ys[broken], order)


def evenly(values: AnyArray, most: int) -> AnyArray:
    """Pick at most ``most`` values at even distances, the first and the last among them."""
    if len(values) <= most:
        return values
    kept: AnyArray = values[distinct(np.linspace(0, len(values) - 1, most).round().astype(np.intp))]
    return kept


def distinct(indices: Indices) -> Indices:
    """Return the indices sorted and without duplicates."""
    return np.unique(indices, return_index=True)[0]  # without indices it imports numpy.ma, for some 10 ms


def _groups(x: Floats, most: int) -> Indices:
    """Where at most so many groups of points begin."""
    n = len(x)
    with np.errstate(invalid="ignore", over="ignore"):
        edges = np.linspace(x[0], x[-1], most + 1)
    if np.isfinite(edges).all() and bool((x[1:] >= x[:-1]).all()):
        starts = distinct(np.searchsorted(x, edges[:-1]))
        if np.diff(starts, append=n).max() <= 2 * -(-n // most):
            return starts
        most //= 2
        starts = distinct(np.searchsorted(x, edges[: 2 * most : 2]))
        return distinct(np.concatenate((starts, _of_equal_count(n, most))))
    return _of_equal_count(n, most)


def _of_equal_count(n: int, groups: int) -> Indices:
    return np.arange(0, n, -(-n // max(groups, 1)))


def _m4(values: Floats, starts: Indices) -> Indices:
    """The indices of the first, last, least and greatest value of each group."""
    ends = np.append(starts[1:], len(values))
    chosen = [starts, ends - 1]
    for extreme in (np.minimum, np.maximum):
        found = np.flatnonzero(values == np.repeat(extreme.reduceat(values, starts), ends - starts))
        chosen.append(found[np.searchsorted(found, starts)])
    return distinct(np.concatenate(chosen))
