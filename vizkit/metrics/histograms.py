"""Histograms of large arrays: NumPy's numbers, faster, and NaN and Inf are allowed.

Counts and edges are those of ``numpy.histogram`` over the finite values. NumPy computes an index for
each value and corrects those that rounding put one bucket off, so that counts agree with edges. Here
few buckets are counted by comparison with each edge, and many by an index that is corrected only
close to an edge. Where rounding is too coarse for that, values are sorted and edges looked up among them.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit._language import tr
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Floats, Ints, to_array

__all__ = ["Histogram", "compute_histogram"]

Edges = Sequence[float] | AnyArray

_CHUNK_BYTES = 256 * 1024  # a chunk and its temporaries stay in a core's L2 cache
_FEW = 16  # buckets up to which one comparison for each edge beats an index for each value
_SURE = 0.25  # rounding error, in buckets, up to which NumPy's counts certainly agree with its edges


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values between edges.

    Attributes:
        counts: int64, shape (k,): finite values in ``[edges[i], edges[i + 1])``; the last bucket
            includes its right edge.
        edges: float64, shape (k + 1,), ascending.
        nan: number of NaN values.
        posinf: number of +Inf values.
        neginf: number of -Inf values.
    """

    counts: Ints
    edges: Floats
    nan: int
    posinf: int
    neginf: int


def compute_histogram(values: ArrayLike, buckets: int | str | Edges = 10) -> Histogram:
    """Count finite values in buckets, as ``numpy.histogram`` does, and NaN and Inf separately.

    Args:
        values: an array or tensor of real numbers of any shape; booleans count as 0 and 1.
        buckets: the number of buckets of equal width between the smallest and the largest value,
            the edges themselves (ascending), or the name of one of NumPy's rules (``"auto"``).

    Returns:
        The histogram. Without a finite value its counts are 0 and its edges go from 0 to 1. Where
        NumPy has no answer (a range that overflows, or is too narrow for so many buckets) edges are
        computed in float64, and moved outwards as far as needed to differ.

    Raises:
        DataError: ``values`` are not real numbers or ``buckets`` make no histogram.
    """
    array = to_array(values)
    if array.dtype.kind == "c":
        raise DataError(
            "a histogram needs real numbers, got {values}; take its abs() or .real", values=describe(values)
        )
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    elif array.dtype.itemsize > 8:  # longdouble
        array = array.astype(np.float64)
    flat: AnyArray = array.ravel(order="K")
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
        raise DataError(
            "buckets={buckets} make no histogram: {error}", buckets=describe(buckets), error=error
        ) from None
    return Histogram(
        counts=counts.astype(np.int64, copy=False),
        edges=edges.astype(np.float64, copy=False),
        nan=int(np.count_nonzero(np.isnan(others))),
        posinf=int(np.count_nonzero(others == np.inf)),
        neginf=int(np.count_nonzero(others == -np.inf)),
    )


def _ends(flat: AnyArray) -> AnyArray:
    """The smallest and the largest value, NaN if there is one; empty if there are none."""
    if not flat.size:
        return flat
    with np.errstate(invalid="ignore"):
        return np.array([flat.min(), flat.max()])


def _distinct(flat: NDArray[np.float16]) -> tuple[NDArray[np.float16], Ints]:
    """Distinct values of many float16 and their counts, since arithmetic on float16 is slow."""
    times = np.bincount(flat.view(np.uint16), minlength=2**16)
    bits = np.flatnonzero(times)
    return bits.astype(np.uint16).view(np.float16), times[bits]


def _by_edges(flat: AnyArray, edges: Edges) -> tuple[AnyArray, AnyArray]:
    """Count between given edges."""
    edges = np.asarray(edges)
    if edges.ndim != 1 or edges.size < 2 or not np.all(edges[:-1] <= edges[1:]):
        raise ValueError(tr("edges must be two or more ascending numbers in one dimension"))
    return _looked_up(flat, edges, None), edges


def _by_rule(flat: AnyArray, ends: AnyArray, rule: str) -> tuple[AnyArray, AnyArray]:
    """Count in as many buckets as NumPy's rule gives; 10 if the rule overflows."""
    np.histogram_bin_edges([0.0, 1.0], bins=rule)  # raises if there is no such rule
    if flat.dtype.kind == "f":
        flat, ends = flat.astype(np.float64, copy=False), ends.astype(np.float64)  # overflows later
    try:
        with np.errstate(all="ignore"):
            return np.histogram(flat, bins=rule)
    except (MemoryError, ValueError):
        return _uniform(flat, ends, 10, None)


def _uniform(flat: AnyArray, ends: AnyArray, buckets: int, times: Ints | None) -> tuple[AnyArray, AnyArray]:
    """Count finite values, each weighted by its ``times``, in buckets of equal width."""
    if buckets < 1:
        raise ValueError(tr("there must be 1 or more"))
    if not flat.size:
        return np.zeros(buckets, np.int64), np.linspace(0.0, 1.0, buckets + 1)
    edges = _numpy_edges(ends, buckets)
    if edges is None and flat.dtype != np.float64:
        flat, ends = flat.astype(np.float64), ends.astype(np.float64)
        edges = _numpy_edges(ends, buckets)
    if edges is None:
        edges = _own_edges(ends, buckets)
        return _looked_up(flat, edges, times), edges
    error = _rounding(edges, buckets)
    if times is not None or not error < _SURE:
        return _looked_up(flat, edges, times), edges
    if ends[0] == ends[1]:
        counts = np.zeros(buckets, np.int64)
        counts[np.searchsorted(edges, ends[0], "right") - 1] = flat.size
        return counts, edges
    if buckets <= _FEW:
        return _compared(flat, edges), edges
    return _indexed(flat, edges, error), edges


def _numpy_edges(ends: AnyArray, buckets: int) -> AnyArray | None:
    """NumPy's edges for values between ``ends``; None if they overflow or coincide."""
    try:
        with np.errstate(all="ignore"):
            edges = np.histogram_bin_edges(ends, bins=buckets)
            usable = np.isfinite(edges[-1] - edges[0]) and bool((edges[:-1] < edges[1:]).all())
    except ValueError:  # too many buckets for the range
        return None
    return edges if usable else None


def _own_edges(ends: Floats, buckets: int) -> Floats:
    """Edges if NumPy has none: the range overflows, or is too narrow."""
    low, high = float(ends[0]), float(ends[1])
    if np.isfinite(high - low):
        most = float(np.finfo(np.float64).max)
        size = max(abs(low), abs(high))
        pad = 8 * buckets * (size - float(np.nextafter(size, 0)))  # 8 neighbouring floats a bucket
        low, high = max(low - pad, -most), min(high + pad, most)
    part = np.arange(buckets + 1) / buckets  # np.linspace would overflow, or lose its step to rounding
    edges: Floats = np.clip(low * (1 - part) + high * part, low, high)
    return edges


def _rounding(edges: AnyArray, buckets: int) -> float:
    """A bound on the rounding error of an index or an edge, in buckets; inf if unknown."""
    low, high = float(edges[0]), float(edges[-1])
    width = high - low
    kind = np.finfo(edges.dtype)
    if width / buckets < 4 * float(kind.tiny):
        return np.inf
    return float(kind.eps) * buckets * (4 + max(abs(low), abs(high)) / width)


def _chunks(flat: AnyArray, kind: np.dtype[np.generic]) -> Iterator[AnyArray]:
    """Parts of ``flat``, converted to the type of the edges."""
    size = _CHUNK_BYTES // kind.itemsize
    for start in range(0, flat.size, size):
        yield flat[start : start + size].astype(kind, copy=False)


def _looked_up(flat: AnyArray, edges: AnyArray, times: Ints | None) -> AnyArray:
    """Count by sorting the values and looking for the edges among them."""
    if flat.dtype == np.float16:  # on some processors NumPy does not sort these right
        flat = flat.astype(np.float32)
    return np.histogram(flat, bins=edges, weights=times)[0]


def _compared(flat: AnyArray, edges: AnyArray) -> Ints:
    """Count by comparing all values with each inner edge."""
    kind = _working_type(edges)
    above = np.zeros(edges.size, np.int64)  # at or above each edge; none is above the last
    above[0] = flat.size
    for chunk in _chunks(flat, kind):
        reached = np.empty(chunk.size, np.bool_)
        for i, edge in enumerate(edges[1:-1].astype(kind), 1):
            above[i] += np.count_nonzero(np.greater_equal(chunk, edge, out=reached))
    counts: Ints = above[:-1] - above[1:]
    return counts


def _indexed(flat: AnyArray, edges: AnyArray, error: float) -> Ints:
    """Count by an index for each value, corrected within ``error`` of an edge."""
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


def _working_type(edges: AnyArray) -> np.dtype[np.generic]:
    """The type for arithmetic: float32 for float16, which has none of its own."""
    return np.promote_types(edges.dtype, np.float32)
