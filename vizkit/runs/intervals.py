"""Means, confidence intervals and alignment of the curves of several runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vizkit.metrics.arrays import AnyArray, Bools, Floats, Ints

__all__ = [
    "Interval",
    "align",
    "bounded_interval",
    "by_x",
    "column_statistics",
    "f_tail",
    "t_quantile",
    "t_tail",
    "welch",
]


_NORMAL_FROM = 1e7  # degrees of freedom


@lru_cache(maxsize=4096)
def t_quantile(confidence: float, df: float) -> float:
    """The two-sided quantile of Student's t distribution: standard errors that hold ``confidence`` of it.

    It is found by bisection of `t_tail`.

    Args:
        confidence: between 0 and 1, such as 0.95.
        df: degrees of freedom, above 0; fractions are allowed.
    """
    if df > _NORMAL_FROM:
        return NormalDist().inv_cdf(0.5 + confidence / 2)
    low, high = 0.0, 1.0
    while t_tail(high, df) > 1 - confidence:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_tail(middle, df) > 1 - confidence else (low, middle)
    return high


def t_tail(t: float, df: float) -> float:
    """The two-sided tail of Student's t distribution: the p of a statistic. NaN of NaN.

    It is the regularised incomplete beta function I_x(df/2, 1/2) at x = df / (df + t^2) (Abramowitz and
    Stegun, 26.5.27).
    """
    if math.isnan(t):
        return math.nan
    if df > _NORMAL_FROM:
        return math.erfc(abs(t) / math.sqrt(2))
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t)) if t else 1.0


def f_tail(f: float, first: float, second: float) -> float:
    """The upper tail of the F distribution of ``first`` and ``second`` degrees of freedom; NaN of NaN.

    Source: Abramowitz and Stegun, 26.6.2.
    """
    if math.isnan(f):
        return math.nan
    return _incomplete_beta(second / 2, first / 2, second / (second + first * f)) if f > 0 else 1.0


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), by the continued fraction of Abramowitz and Stegun, 26.5.8 (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly
        return 1 - _incomplete_beta(b, a, 1 - x)
    tiny = 1e-300
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    c, d = 1.0, 1 / _away((1 - (a + b) * x / (a + 1)), tiny)
    total = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d, tiny)
            c = _away(1 + term / c, tiny)
            total *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return front * total / a


def _away(number: float, tiny: float) -> float:
    return number if abs(number) > tiny else tiny


class Interval(NamedTuple):
    """An estimate and its confidence interval; NaN with too few values."""

    value: float
    low: float
    high: float


def column_statistics(
    matrix: Floats, confidence: float = 0.95
) -> tuple[Floats, Floats, Ints, Floats, Floats]:
    """Mean, standard deviation (n - 1), n, and the ends of the mean's t interval of each column.

    NaN values are left out and do not count in n.

    Args:
        matrix: (runs, points).
        confidence: level of the interval.

    Returns:
        Five arrays of shape (points,); NaN where n is too small.
    """
    there = ~np.isnan(matrix)
    n = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.where(there, matrix, 0).sum(axis=0) / n
        squares = (np.where(there, matrix - mean, 0) ** 2).sum(axis=0)
        std = np.sqrt(squares / np.where(n > 1, n - 1, np.nan))
        factor = np.full(len(matrix) + 1, np.nan)
        for count in np.unique(n[n > 1]):
            factor[count] = t_quantile(confidence, float(count - 1)) / math.sqrt(count)
        half = std * factor[n]
        return mean, std, n, mean - half, mean + half


def bounded_interval(
    center: Floats, half: Floats, least: float = -math.inf, greatest: float = math.inf
) -> tuple[Floats, Floats]:
    """The interval ``center - half`` to ``center + half`` of a quantity that has bounds, within them.

    Between two bounds it is computed on the logit scale, by the delta method (W. Q. Meeker and L. A.
    Escobar, "Statistical Methods for Reliability Data", section 7.3); at one bound it is cut.
    """
    if not math.isfinite(least) or not math.isfinite(greatest):
        return np.maximum(center - half, least), np.minimum(center + half, greatest)
    share = (center - least) / (greatest - least)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logit = np.log(share / (1 - share))
        by = half / (greatest - least) / (share * (1 - share))
        ends = [least + (greatest - least) / (1 + np.exp(-(logit + sign * by))) for sign in (-1, 1)]
    inside = (share > 0) & (share < 1) & (half > 0)
    low, high = (np.where(inside, end, np.where(np.isnan(half), np.nan, center)) for end in ends)
    return low, high


def welch(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Interval:
    """The difference of two means, b - a, with Welch's t interval for unequal variances.

    Source: B. L. Welch, "The generalization of Student's problem when several different population
    variances are involved", Biometrika 34 (1947); degrees of freedom by Satterthwaite (1946).
    The interval needs two values or more on each side.
    """
    first, second = (np.asarray(side, dtype=np.float64) for side in (a, b))
    difference = float(second.mean() - first.mean())
    if min(len(first), len(second)) < 2:
        return Interval(difference, math.nan, math.nan)
    errors = [float(side.var(ddof=1)) / len(side) for side in (first, second)]
    total = sum(errors)
    if total == 0:
        return Interval(difference, difference, difference)
    shares = [error / total for error in errors]  # squares of small errors would underflow
    df = 1 / sum(share**2 / (len(side) - 1) for share, side in zip(shares, (first, second), strict=True))
    half = t_quantile(confidence, df) * math.sqrt(total)
    return Interval(difference, difference - half, difference + half)


def by_x(x: AnyArray, y: AnyArray) -> tuple[AnyArray, AnyArray]:
    """The points of a curve, (n,) each, by x; those of equal x stay in their order.

    Steps that start over, or a clock that was set back, make times that do not ascend with the steps.
    """
    if (x[1:] >= x[:-1]).all():
        return x, y
    order = np.argsort(x, kind="stable")
    return x[order], y[order]


def align(series: Sequence[tuple[AnyArray, AnyArray]], grid: Floats) -> tuple[Floats, Bools]:
    """Resample several curves at the same x.

    Values between two points of a curve are interpolated linearly, and NaN where one of them is NaN;
    a curve has no values before its first and after its last point.

    Args:
        series: (x, y) pairs, each (n,), x not descending; of equal x the last point counts.
        grid: (points,) the common x.

    Returns:
        Values (series, points), NaN where there is none; and a mask of the points that each curve covers.
    """
    values = np.full((len(series), len(grid)), np.nan)
    covered = np.zeros((len(series), len(grid)), dtype=bool)
    for row, (places, numbers) in enumerate(series):
        x = np.asarray(places, dtype=np.float64)
        if not len(x):
            continue
        keep = np.append(x[1:] > x[:-1], True)
        x, y = x[keep], np.asarray(numbers, dtype=np.float64)[keep]
        covered[row] = (grid >= x[0]) & (grid <= x[-1])
        values[row, covered[row]] = np.interp(grid[covered[row]], x, y)
    return values, covered
