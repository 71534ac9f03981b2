"""Histograms of large arrays: NumPy's own numbers, sooner, and without falling over NaN and Inf.

Counts and edges are those of ``numpy.histogram`` over the finite values. NumPy computes an index
for each value and then mends those that rounding put one bucket off, so that its counts agree
with its edges. Here few buckets are counted by comparison with each edge, and many by an index
of which only the values close to an edge are mended. Where rounding is too coarse to be sure of
the same answer, NumPy itself is asked.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import DataError
from vizkit.measures.arrays import describe, to_array

__all__ = ["Histogram", "histogram"]

Edges = Sequence[float] | NDArray[Any]

_CHUNK_BYTES = 256 * 1024  # a chunk and its temporaries stay in a core's L2 cache
_FEW = 16  # buckets up to which one comparison for each edge beats an index for each value
_SURE = 0.25  # in buckets: the rounding up to which NumPy's counts certainly agree with its edges


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many values lie between each two edges.

    Attributes:
        counts: int64, shape (k,): finite values in ``[edges[i], edges[i + 1])``; the last bucket
            includes its right edge.
        edges: float64, shape (k + 1,), ascending, finite.
        nan: number of NaN values.
        posinf: number of +Inf values.
        neginf: number of -Inf values.
    """

    counts: NDArray[np.int64]
    edges: NDArray[np.float64]
    nan: int
    posinf: int
    neginf: int


def histogram(values: Any, buckets: int | str | Edges = 10) -> Histogram:
    """Count the finite values in buckets, as ``numpy.histogram`` does, and the others apart.

    Args:
        values: an array or tensor of real numbers of any shape; booleans count as 0 and 1.
        buckets: the number of buckets of equal width between the smallest and the largest value,
            the edges themselves (ascending), or the name of one of NumPy's rules (``"auto"``).

    Returns:
        The histogram. Without a finite value its counts are 0 between 0 and 1. Where NumPy has no
        answer (a range that overflows, or one too narrow for so many buckets) the edges are
        computed in float64, and moved outwards as far as they must be to differ.

    Raises:
        DataError: ``values`` are not real numbers or ``buckets`` make no histogram.
    """
    array = to_array(values)
    if array.dtype.kind == "c":
        raise DataError(f"a histogram needs real numbers, got {describe(values)}; take its abs() or .real")
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    elif array.dtype.itemsize > 8:  # longdouble
        array = array.astype(np.float64)
    flat = array.ravel(order="K")
    nan = posinf = neginf = 0
    if flat.size and flat.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            regular = np.isfinite(flat.min()) and np.isfinite(flat.max())
        if not regular:
            nan = int(np.count_nonzero(np.isnan(flat)))
            posinf = int(np.count_nonzero(flat == np.inf))
            neginf = int(np.count_nonzero(flat == -np.inf))
            flat = flat[np.isfinite(flat)]
    try:
        if isinstance(buckets, str) or np.ndim(buckets) > 0:
            counts, edges = _by_numpy(flat, buckets)
        else:
            counts, edges = _uniform(flat, operator.index(cast(int, buckets)))
    except (MemoryError, TypeError, ValueError) as error:
        raise DataError(f"buckets={describe(buckets)} make no histogram: {error}") from None
    return Histogram(
        counts.astype(np.int64, copy=False), edges.astype(np.float64, copy=False), nan, posinf, neginf
    )


def _by_numpy(flat: NDArray[Any], buckets: str | Edges) -> tuple[NDArray[Any], NDArray[Any]]:
    """NumPy's answer for edges or a rule."""
    if not isinstance(buckets, str):
        buckets = np.asarray(buckets)
        if buckets.ndim != 1 or buckets.size < 2 or not np.all(buckets[:-1] <= buckets[1:]):
            raise ValueError("edges must be two or more ascending numbers in one dimension")
    elif flat.dtype.kind == "f":
        flat = flat.astype(np.float64, copy=False)  # its spread overflows later
    with np.errstate(all="ignore"):
        counts, edges = np.histogram(flat, bins=buckets)
    return counts, edges


def _uniform(flat: NDArray[Any], buckets: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts and edges of finite values in buckets of equal width."""
    if buckets < 1:
        raise ValueError("there must be 1 or more")
    if not flat.size:
        return np.zeros(buckets, np.int64), np.linspace(0.0, 1.0, buckets + 1)
    ends = np.array([flat.min(), flat.max()])
    edges = _numpy_edges(ends, buckets)
    if edges is None and flat.dtype != np.float64:
        flat, ends = flat.astype(np.float64), ends.astype(np.float64)
        edges = _numpy_edges(ends, buckets)
    if edges is None:
        edges = _own_edges(ends, buckets)
        return np.histogram(flat, bins=edges)
    error = _rounding(edges, buckets)
    if not error < _SURE:
        return np.histogram(flat, bins=buckets)
    if buckets <= _FEW:
        return _compared(flat, edges), edges
    return _indexed(flat, edges, error), edges


def _numpy_edges(ends: NDArray[Any], buckets: int) -> NDArray[Any] | None:
    """NumPy's edges for values between ``ends``; None where they overflow or coincide."""
    try:
        with np.errstate(all="ignore"):
            edges = np.histogram_bin_edges(ends, bins=buckets)
    except ValueError:  # too many buckets for the range
        return None
    usable = np.isfinite(edges).all() and (edges[:-1] < edges[1:]).all()
    return edges if usable else None


def _own_edges(ends: NDArray[np.float64], buckets: int) -> NDArray[np.float64]:
    """Edges where NumPy has none: the range overflows, or is too narrow."""
    low, high = float(ends[0]), float(ends[1])
    if np.isinf(high - low):
        return np.linspace(low / 4, high / 4, buckets + 1) * 4
    most = float(np.finfo(np.float64).max)
    pad = 2 * buckets * float(np.spacing(max(abs(low), abs(high))))
    return np.linspace(max(low - pad, -most), min(high + pad, most), buckets + 1)


def _rounding(edges: NDArray[Any], buckets: int) -> float:
    """A bound, in buckets, on how far rounding moves an index or an edge; inf if unknown."""
    low, high = float(edges[0]), float(edges[-1])
    width = high - low
    kind = np.finfo(edges.dtype)
    if width / buckets < 4 * float(kind.tiny):
        return np.inf
    return float(kind.eps) * buckets * (4 + max(abs(low), abs(high)) / width)


def _chunks(flat: NDArray[Any], kind: np.dtype[Any]) -> Any:
    """Parts of ``flat`` in the type that edges are compared in."""
    size = _CHUNK_BYTES // kind.itemsize
    for start in range(0, flat.size, size):
        yield flat[start : start + size].astype(kind, copy=False)


def _compared(flat: NDArray[Any], edges: NDArray[Any]) -> NDArray[np.int64]:
    """Counts by comparing all values with each inner edge."""
    kind = _working_type(edges)
    inner = edges[1:-1].astype(kind)
    above = [0] * inner.size
    for chunk in _chunks(flat, kind):
        reached = np.empty(chunk.size, np.bool_)
        for i, edge in enumerate(inner):
            above[i] += np.count_nonzero(np.greater_equal(chunk, edge, out=reached))
    return -np.diff(np.array([flat.size, *above, 0], np.int64))


def _indexed(flat: NDArray[Any], edges: NDArray[Any], error: float) -> NDArray[np.int64]:
    """Counts by an index for each value, mended for values within ``error`` of an edge."""
    kind = _working_type(edges)
    edges = edges.astype(kind)
    last = edges.size - 2
    scale = kind.type((last + 1) / (float(edges[-1]) - float(edges[0])))
    counts = np.zeros(last + 1, np.int64)
    for chunk in _chunks(flat, kind):
        position = chunk - edges[0]
        position *= scale
        index = position.astype(np.int32).astype(np.intp)  # in two steps: both are vectorised
        away = np.rint(position)
        away -= position
        np.abs(away, out=away)
        close = np.flatnonzero(away <= error)
        if close.size:
            value, at = chunk[close], np.clip(index[close], 0, last)
            at -= value < edges[at]
            at += (value >= edges[at + 1]) & (at < last)
            index[close] = at
        counts += np.bincount(index, minlength=last + 1)
    return counts


def _working_type(edges: NDArray[Any]) -> np.dtype[Any]:
    """float16 has no arithmetic of its own: its values are compared as float32, exactly."""
    return np.promote_types(edges.dtype, np.float32)
