"""Histograms of large arrays: NumPy's own numbers, sooner, and without falling over NaN and Inf.

Counts and edges are those of ``numpy.histogram`` over the finite values. NumPy computes an index
for each value and then mends those that rounding put one bucket off, so that its counts agree
with its edges. Here few buckets are counted by comparison with each edge, and many by an index
of which only the values close to an edge are mended. Where rounding is too coarse to be sure of
the same answer, NumPy itself is asked.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.arrays import to_array

__all__ = ["Histogram", "compute_histogram"]

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
        edges: float64, shape (k + 1,), ascending.
        nan: number of NaN values.
        posinf: number of +Inf values.
        neginf: number of -Inf values.
    """

    counts: NDArray[np.int64]
    edges: NDArray[np.float64]
    nan: int
    posinf: int
    neginf: int


def compute_histogram(values: Any, buckets: int | str | Edges = 10) -> Histogram:
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
    flat: NDArray[Any] = array.ravel(order="K")
    times = None
    if flat.dtype == np.float16 and flat.size > 2**16 and isinstance(buckets, int):
        flat, times = _distinct(flat)
    ends = _ends(flat)
    finite = bool(np.isfinite(ends).all())
    others = flat[:0] if finite else flat
    if not finite:
        keep = np.isfinite(flat)
        flat, others = flat[keep], flat[~keep]
        if times is not None:
            times, others = times[keep], np.repeat(others, times[~keep])
        ends = _ends(flat)
    try:
        if isinstance(buckets, str):
            counts, edges = _by_rule(flat, ends, buckets)
        elif np.ndim(buckets) > 0:
            counts, edges = _by_edges(flat, cast(Edges, buckets))
        else:
            counts, edges = _uniform(flat, ends, operator.index(cast(int, buckets)), times)
    except (MemoryError, TypeError, ValueError) as error:
        raise DataError(f"buckets={describe(buckets)} make no histogram: {error}") from None
    return Histogram(
        counts=counts.astype(np.int64, copy=False),
        edges=edges.astype(np.float64, copy=False),
        nan=int(np.count_nonzero(np.isnan(others))),
        posinf=int(np.count_nonzero(others == np.inf)),
        neginf=int(np.count_nonzero(others == -np.inf)),
    )


def _ends(flat: NDArray[Any]) -> NDArray[Any]:
    """The smallest and the largest value, NaN if there is one; nothing of nothing."""
    if not flat.size:
        return flat
    with np.errstate(invalid="ignore"):
        return np.array([flat.min(), flat.max()])


def _distinct(flat: NDArray[np.float16]) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """The different values of many float16, and how often each comes: arithmetic on it is slow."""
    times = np.bincount(flat.view(np.uint16), minlength=2**16)
    bits = np.flatnonzero(times)
    return bits.astype(np.uint16).view(np.float16), times[bits]


def _by_edges(flat: NDArray[Any], edges: Edges) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts between given edges."""
    edges = np.asarray(edges)
    if edges.ndim != 1 or edges.size < 2 or not np.all(edges[:-1] <= edges[1:]):
        raise ValueError("edges must be two or more ascending numbers in one dimension")
    return np.histogram(flat, bins=edges)


def _by_rule(flat: NDArray[Any], ends: NDArray[Any], rule: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts in as many buckets as NumPy's rule gives; 10 where the rule overflows."""
    np.histogram_bin_edges([0.0, 1.0], bins=rule)  # raises if there is no such rule
    if flat.dtype.kind == "f":
        flat, ends = flat.astype(np.float64, copy=False), ends.astype(np.float64)  # overflows later
    try:
        with np.errstate(all="ignore"):
            return np.histogram(flat, bins=rule)
    except (MemoryError, ValueError):
        return _uniform(flat, ends, 10, None)


def _uniform(
    flat: NDArray[Any], ends: NDArray[Any], buckets: int, times: NDArray[np.int64] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts and edges of finite values, each so many ``times``, in buckets of equal width."""
    if buckets < 1:
        raise ValueError("there must be 1 or more")
    if not flat.size:
        return np.zeros(buckets, np.int64), np.linspace(0.0, 1.0, buckets + 1)
    edges = _numpy_edges(ends, buckets)
    if edges is None and flat.dtype != np.float64:
        flat, ends = flat.astype(np.float64), ends.astype(np.float64)
        edges = _numpy_edges(ends, buckets)
    if edges is None:
        return np.histogram(flat, bins=_own_edges(ends, buckets), weights=times)
    error = _rounding(edges, buckets)
    if times is not None or not error < _SURE:
        return np.histogram(flat, bins=buckets, weights=times)
    if ends[0] == ends[1]:
        counts = np.zeros(buckets, np.int64)
        counts[np.searchsorted(edges, ends[0], "right") - 1] = flat.size
        return counts, edges
    if buckets <= _FEW:
        return _compared(flat, edges), edges
    return _indexed(flat, edges, error), edges


def _numpy_edges(ends: NDArray[Any], buckets: int) -> NDArray[Any] | None:
    """NumPy's edges for values between ``ends``; None where they overflow or coincide."""
    try:
        with np.errstate(all="ignore"):
            edges = np.histogram_bin_edges(ends, bins=buckets)
            usable = np.isfinite(edges[-1] - edges[0]) and bool((edges[:-1] < edges[1:]).all())
    except ValueError:  # too many buckets for the range
        return None
    return edges if usable else None


def _own_edges(ends: NDArray[np.float64], buckets: int) -> NDArray[np.float64]:
    """Edges where NumPy has none: the range overflows, or is too narrow."""
    low, high = float(ends[0]), float(ends[1])
    if np.isfinite(high - low):
        most = float(np.finfo(np.float64).max)
        size = max(abs(low), abs(high))
        pad = 8 * buckets * (size - float(np.nextafter(size, 0)))  # so many neighbouring floats
        low, high = max(low - pad, -most), min(high + pad, most)
    part = np.arange(buckets + 1) / buckets  # np.linspace would overflow, or lose its step to rounding
    edges: NDArray[np.float64] = np.clip(low * (1 - part) + high * part, low, high)
    return edges


def _rounding(edges: NDArray[Any], buckets: int) -> float:
    """A bound, in buckets, on how far rounding moves an index or an edge; inf if unknown."""
    low, high = float(edges[0]), float(edges[-1])
    width = high - low
    kind = np.finfo(edges.dtype)
    if width / buckets < 4 * float(kind.tiny):
        return np.inf
    return float(kind.eps) * buckets * (4 + max(abs(low), abs(high)) / width)


def _chunks(flat: NDArray[Any], kind: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """Parts of ``flat`` in the type that edges are compared in."""
    size = _CHUNK_BYTES // kind.itemsize
    for start in range(0, flat.size, size):
        yield flat[start : start + size].astype(kind, copy=False)


def _compared(flat: NDArray[Any], edges: NDArray[Any]) -> NDArray[np.int64]:
    """Counts by comparing all values with each inner edge."""
    kind = _working_type(edges)
    above = np.zeros(edges.size, np.int64)  # at or above each edge; none is above the last
    above[0] = flat.size
    for chunk in _chunks(flat, kind):
        reached = np.empty(chunk.size, np.bool_)
        for i, edge in enumerate(edges[1:-1].astype(kind), 1):
            above[i] += np.count_nonzero(np.greater_equal(chunk, edge, out=reached))
    counts: NDArray[np.int64] = above[:-1] - above[1:]
    return counts


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
        np.clip(position, _SURE, last + 1 - _SURE, out=position)  # no doubt about the outer edges
        index = position.astype(np.int32).astype(np.intp)  # in two steps: both are vectorised
        nearest = np.rint(position)
        position -= nearest
        close = np.flatnonzero(np.abs(position, out=position) <= error)
        if close.size:
            at = nearest[close].astype(np.intp)
            at -= chunk[close] < edges[at]
            index[close] = at
        counts += np.bincount(index, minlength=last + 1)
    return counts


def _working_type(edges: NDArray[Any]) -> np.dtype[Any]:
    """float16 has no arithmetic of its own: its values are compared as float32, exactly."""
    return np.promote_types(edges.dtype, np.float32)
