"""Downsampling of long curves that keeps every peak, dip and gap."""

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
    """

    x: Floats
    y: Floats
    gaps_x: Floats
    gaps_y: Floats


def thinned(x: AnyArray, y: AnyArray, most: int = 8000) -> Thinned:
    """Keep the first, last, least and greatest of each group of neighbouring points.

    This is M4 (Jugel et al., PVLDB 7, 2014) over at most ``most / 4`` groups of equal count.
    MinMaxLTTB would look as good with fewer points, but drops one of two spikes side by side.

    Args:
        x: shape (n,), in the order of recording.
        y: shape (n,); values that are not finite break the line.
        most: about how many finite points are kept; curves of fewer stay as they are.
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


def evenly(values: AnyArray, most: int) -> AnyArray:
    """Pick at most ``most`` values at even distances, the first and the last among them."""
    if len(values) <= most:
        return values
    kept: AnyArray = values[distinct(np.linspace(0, len(values) - 1, most).round().astype(np.intp))]
    return kept


def distinct(indices: Indices) -> Indices:
    """Return the indices sorted and without duplicates."""
    return np.unique(indices, return_index=True)[0]  # without indices it imports numpy.ma, for some 10 ms


def _m4(values: Floats, most: int) -> Indices:
    """The indices of the first, last, least and greatest value of groups of equal count."""
    width = -(-len(values) // max(most // 4, 1))
    whole = len(values) // width * width
    chosen = _of_each(values[:whole].reshape(-1, width))
    if whole < len(values):
        chosen += [whole + indices for indices in _of_each(values[None, whole:])]
    return distinct(np.concatenate(chosen))


def _of_each(rows: Floats) -> list[Indices]:
    """The indices, in the flattened rows, of each row's first, last, least and greatest value."""
    starts = np.arange(0, rows.size, rows.shape[1])
    return [starts, starts + rows.shape[1] - 1, starts + rows.argmin(axis=1), starts + rows.argmax(axis=1)]
