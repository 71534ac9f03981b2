"""The mean or median of several curves, with a band, from all of their points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np

from vizkit.metrics.arrays import Floats, Ints
from vizkit.runs.intervals import align, bounded_interval, column_statistics

__all__ = ["Band", "Center", "Mean", "band_text", "mean_of"]

Center = Literal["mean", "median"]
Band = Literal["std", "se", "ci", "minmax"]

_SHORT = 20_000
"""Places up to which all x of all curves are places of the mean."""

_CELLS = 1 << 21  # numbers that are at hand at once
_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of several curves.

    Attributes:
        x: (m,) its places: all x of the curves, or the middles of equal stretches of it.
        y: (m,) the means or medians.
        low, high: (m,) the band; None without one.
        n: (m,) number of curves that are in it: those that reach x, and are not NaN there.
    """

    x: Floats
    y: Floats
    low: Floats | None
    high: Floats | None
    n: Ints


def band_text(center: Center, band: Band, bounds: tuple[float, float]) -> str:
    """The way in which a band was computed, in a few words."""
    if band == "minmax":
        return "least and greatest"
    if band == "ci" and center == "median":
        return "95 % interval of the median (order statistics)"
    words = {
        "std": "standard deviation",
        "se": "standard error",
        "ci": "95 % interval of the mean (Student's t",
    }[band]
    if band == "std":
        return words + (", cut at the metric's bounds" if np.isfinite(bounds).any() else "")
    if np.isfinite(bounds).all():
        words += ", on the logit scale of the metric's bounds" if band == "ci" else " on the logit scale"
    elif np.isfinite(bounds).any():
        words += ", cut at the metric's bound"
    return words + ")" * (band == "ci")


def mean_of(
    curves: Sequence[tuple[Floats, Floats]],
    *,
    center: Center = "mean",
    band: Band | None = "ci",
    bounds: tuple[float, float] = (-np.inf, np.inf),
    whole: bool = False,
    inside: tuple[float, float] | None = None,
) -> Mean:
    """Compute the mean of curves at each x, interpolated linearly between their points.

    Curves that share their x have a value for each of it. Where they do not, as over time, and are long,
    the range is cut into 20,000 equal stretches, and each curve counts with the mean of its points in one.

    Args:
        curves: (x, y) pairs, x not descending, none empty.
        center: mean or median.
        band: standard deviation, standard error, 95 % interval, or extremes of the curves; None for none.
        bounds: those of the metric; no band leaves them.
        inside: the places are in [inside[0], inside[1]), whatever x the curves have.
        whole: leave out the places before the first and behind the last one that all curves reach.
    """
    grid = np.unique(np.concatenate([x for x, _ in curves]))
    if inside is not None:
        grid = grid[(grid >= inside[0]) & (grid < inside[1])]
    if len(grid) > max(_SHORT, 2 * max(len(x) for x, _ in curves)):
        stretches = np.linspace(grid[0], grid[-1], _SHORT + 1)
        curves = [_in_stretches(x, y, stretches) for x, y in curves]
        grid = _middles(stretches)
    if not len(grid):
        return Mean(grid, grid, grid if band else None, grid if band else None, np.zeros(0, np.int64))
    parts = [_statistics(align(curves, part)[0], center, band, bounds) for part in _parts(grid, len(curves))]
    y, low, high, n = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    found = Mean(grid, y, low if band else None, high if band else None, n.astype(np.int64))
    if whole and len(full := np.flatnonzero(found.n == len(curves))):
        kept = slice(full[0], full[-1] + 1)
        low, high = low[kept], high[kept]
        return Mean(grid[kept], y[kept], low if band else None, high if band else None, found.n[kept])
    return found


def _parts(grid: Floats, curves: int) -> Iterator[Floats]:
    size = max(_CELLS // curves, 1)
    for start in range(0, max(len(grid), 1), size):
        yield grid[start : start + size]


def _in_stretches(x: Floats, y: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """The middles of the stretches with points, and the mean of each one's finite points."""
    places = np.searchsorted(x, edges[:-1])
    some = places < np.append(places[1:], len(x))
    there = np.isfinite(y)
    counts = np.add.reduceat(there.astype(np.float64), places[some])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        means = np.add.reduceat(np.where(there, y, 0.0), places[some]) / counts
    return _middles(edges)[some], means


def _middles(edges: Floats) -> Floats:
    middles: Floats = (edges[:-1] + edges[1:]) / 2
    return middles


def _statistics(
    matrix: Floats, center: Center, band: Band | None, bounds: tuple[float, float]
) -> tuple[Floats, Floats, Floats, Ints]:
    """Centre, ends of the band, and number of values of each column."""
    mean, std, n, low, high = column_statistics(matrix, _CONFIDENCE)
    middle = mean
    if center == "median":
        ordered = np.sort(matrix, axis=0)  # NaN last
        columns = np.arange(matrix.shape[1])
        pair = (
            ordered[np.maximum((n - 1) // 2, 0), columns],
            ordered[np.minimum(n // 2, len(matrix) - 1), columns],
        )
        with np.errstate(invalid="ignore"):  # inf and -inf have no middle
            between = np.where(pair[0] == pair[1], pair[0], pair[0] + (pair[1] - pair[0]) / 2)
        middle = np.where(n > 0, between, np.nan)
        if band == "ci":
            rank = np.array([_rank(count) for count in range(len(matrix) + 1)])[n]
            low, high = ordered[rank, columns], ordered[np.maximum(n - 1 - rank, 0), columns]
    if band == "minmax":
        low, high = np.fmin.reduce(matrix), np.fmax.reduce(matrix)
    elif band == "std":
        low, high = np.clip(middle - std, *bounds), np.clip(middle + std, *bounds)
    elif band == "se" or (band == "ci" and center == "mean"):
        half = (high - low) / 2
        if band == "se":
            with np.errstate(invalid="ignore", divide="ignore"):
                half = std / np.sqrt(n)
        low, high = bounded_interval(middle, half, *bounds)
    return middle, low, high, n


def _rank(n: int) -> int:
    """The place of the order statistic that a 95 % interval of the median begins with.

    The number of values below the median is binomial (W. J. Conover, "Practical Nonparametric Statistics",
    section 3.2); too few values give their extremes.
    """
    tail, rank = 0.0, 0
    while rank < n // 2 and (tail := tail + comb(n, rank) / 2**n) <= (1 - _CONFIDENCE) / 2:
        rank += 1
    return max(rank - 1, 0) if n else 0
