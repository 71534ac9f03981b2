"""Tests of two settings on the same samples: is the difference more than chance?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vizkit.metrics.arrays import Floats

__all__ = ["PairedMean", "holm", "mcnemar", "paired_bootstrap"]

_RESAMPLES = 9_999
_MOST_RESAMPLED = 2_000  # samples; the means of more are normal, as far as percentiles can tell
_AT_ONCE = 1_000_000  # numbers that are drawn together


class PairedMean(NamedTuple):
    """The mean of paired differences; all but the mean are NaN of fewer than two.

    Attributes:
        mean: of the differences.
        low, high: its interval.
        p: two-sided, of no difference.
    """

    mean: float
    low: float
    high: float
    p: float


def mcnemar(mended: int, broken: int) -> float:
    """The p value of McNemar's exact test: as many samples mended as broken, but for chance.

    Twice the smaller tail of the binomial distribution of ``mended + broken`` draws with probability 1/2,
    at most 1. Source: Q. McNemar, "Note on the sampling error of the difference between correlated
    proportions", Psychometrika 12 (1947); exact form: A. Agresti, "Categorical Data Analysis" (2013), 11.1.

    Args:
        mended: samples that the first setting got wrong and the second right.
        broken: the reverse.
    """
    n, k = mended + broken, min(mended, broken)
    if 2 * k == n:
        return 1.0
    # The terms of the tail from its greatest: C(n, k - i) is C(n, k) times a product of ratios.
    greatest = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)
    below = np.arange(k, 0, -1, dtype=np.float64)
    tail = 1 + np.cumprod(below / (n - below + 1)).sum()
    return min(1.0, 2 * math.exp(greatest + math.log(tail)))


def paired_bootstrap(differences: ArrayLike, confidence: float = 0.95) -> PairedMean:
    """The mean of differences of pairs, with the percentile interval of the bootstrap.

    The samples are drawn with replacement 9,999 times, the same at every call; p is twice the smaller share
    of means on a side of zero. Of more than 2,000 samples, both come from the normal distribution with the
    mean's standard error, to which the bootstrap converges. Source: B. Efron and R. Tibshirani, "An
    Introduction to the Bootstrap" (1993), chapters 13 and 16.

    Args:
        differences: (n,) finite numbers.
        confidence: between 0 and 1.
    """
    values: Floats = np.asarray(differences, dtype=np.float64)
    n = len(values)
    mean = float(values.mean()) if n else math.nan
    if n < 2:
        return PairedMean(mean, math.nan, math.nan, math.nan)
    if not values.any():
        return PairedMean(0.0, 0.0, 0.0, 1.0)
    if n > _MOST_RESAMPLED:
        error = float(values.std()) / math.sqrt(n)
        if not error:
            return PairedMean(mean, mean, mean, 0.0)
        half = NormalDist().inv_cdf(0.5 + confidence / 2) * error
        return PairedMean(mean, mean - half, mean + half, math.erfc(abs(mean) / error / math.sqrt(2)))
    rng = np.random.default_rng(0)
    means = np.empty(_RESAMPLES)
    rows = max(1, _AT_ONCE // n)
    for start in range(0, _RESAMPLES, rows):
        part = means[start : start + rows]
        part[:] = values[rng.integers(0, n, (len(part), n), dtype=np.int32)].mean(axis=1)
    low, high = np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2])
    beyond = 1 + min(int((means <= 0).sum()), int((means >= 0).sum()))
    return PairedMean(mean, float(low), float(high), min(1.0, 2 * beyond / (_RESAMPLES + 1)))


def holm(p: Sequence[float]) -> list[float]:
    """The p values of several tests, corrected for their number; NaN stays and does not count.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).
    """
    corrected = list(p)
    order = sorted((i for i, value in enumerate(p) if not math.isnan(value)), key=lambda i: p[i])
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p[place]))
        corrected[place] = highest
    return corrected
