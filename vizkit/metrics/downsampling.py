"""Fewer points that look the same: every peak, dip and gap of a long curve stays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Thinned", "distinct", "evenly", "thinned"]

_Floats = NDArray[np.float64]


class Thinned(NamedTuple):
    """The points to draw.

    Attributes:
        x, y: (m,) float64; y is NaN where the line has a gap.
        gaps_x: (k,) where values are not finite, the first of those that follow one another.
        gaps_y: (k,) NaN, inf or -inf.
    """

    x: _Floats
    y: _Floats
    gaps_x: _Floats
    gaps_y: _Floats


def thinned(x: NDArray[np.generic], y: NDArray[np.generic], most: int = 8000) -> Thinned:
    """The first, last, least and greatest of every group of neighbouring points.

    The points are cut into at most ``most / 4`` groups of equal count (M4: Jugel et al., PVLDB 7, 2014).
    MinMaxLTTB would look as good with fewer, but of two spikes side by side it drops one.

    Args:
        x: (n,) in the order of recording.
        y: (n,) values; those that are not finite break the line.
        most: how many finite points are kept, about; curves of fewer are left whole.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    finite = np.flatnonzero(np.isfinite(ys))
    kept = finite if len(finite) <= most else finite[_m4(ys[finite], most)]
    if len(finite) == len(ys):
        return Thinned(xs[kept], ys[kept], xs[:0], ys[:0])
    broken = np.flatnonzero(~np.isfinite(ys))
    # Between two points that are kept, the first NaN, inf and -inf stand for the rest.
    kinds = np.nan_to_num(np.sign(ys[broken]), nan=0.0) + 1
    broken = broken[np.unique(3 * np.searchsorted(kept, broken) + kinds, return_index=True)[1]]
    order = np.sort(np.concatenate((kept, broken)))
    line = np.where(np.isfinite(ys), ys, np.nan)
    return Thinned(xs[order], line[order], xs[broken], ys[broken])


def evenly(values: NDArray[Any], most: int) -> NDArray[Any]:
    """At most so many of ascending values, spread evenly over them; the first and the last are kept."""
    if len(values) <= most:
        return values
    kept: NDArray[Any] = values[distinct(np.linspace(0, len(values) - 1, most).round().astype(np.intp))]
    return kept


def distinct(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Each of them once, ascending."""
    return np.unique(places, return_index=True)[0]  # without indices it imports numpy.ma, for some 10 ms


def _m4(values: _Floats, most: int) -> NDArray[np.intp]:
    """The places of the first, last, least and greatest of groups of as many values."""
    width = -(-len(values) // max(most // 4, 1))
    whole = len(values) // width * width
    chosen = _of_each(values[:whole].reshape(-1, width))
    if whole < len(values):
        chosen += [whole + places for places in _of_each(values[None, whole:])]
    return distinct(np.concatenate(chosen))


def _of_each(rows: _Floats) -> list[NDArray[np.intp]]:
    """The places of each row's first, last, least and greatest, in all rows one behind the other."""
    starts = np.arange(0, rows.size, rows.shape[1])
    return [starts, starts + rows.shape[1] - 1, starts + rows.argmin(axis=1), starts + rows.argmax(axis=1)]
