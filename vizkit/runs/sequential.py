"""Intervals that stay right however often one looks, and how many seeds would tell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from vizkit.metrics.arrays import Floats
from vizkit.runs.intervals import Interval, t_quantile

__all__ = ["anytime_interval", "paired_interval", "runs_to_tell", "seeds_to_tell"]

_EFFECT = 1.0
_MOST_SEEDS = 10_000


def paired_interval(differences: ArrayLike, confidence: float = 0.95) -> Interval:
    """The mean of differences with Student's t interval, for one look; NaN of fewer than two."""
    values = np.asarray(differences, dtype=np.float64)
    return _interval(values, t_quantile(confidence, len(values) - 1) if len(values) > 1 else math.nan)


def anytime_interval(differences: ArrayLike, confidence: float = 0.95) -> Interval:
    """The mean of differences with an interval of a confidence sequence: right at all looks together.

    One may look after each new difference and stop when the interval leaves zero out; the chance that any
    of the intervals ever misses the mean is at most ``1 - confidence``. Early intervals are wide, and
    those of fewer than about five differences without an end.

    The sequence inverts the scale-invariant mixture t test: the ratio of the marginal likelihoods of the t
    statistic with an effect size from N(0, 1) and with none is a test martingale. Source: H. Wang and
    A. Ramdas, "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance",
    Sequential Analysis 44 (2025); T. L. Lai, "On confidence sequences", Annals of Statistics 4 (1976).

    Args:
        differences: (n,) in the order in which they came; normal, with an unknown variance.
        confidence: of all intervals together.
    """
    values = np.asarray(differences, dtype=np.float64)
    n = len(values)
    if n < 2:
        return _interval(values, math.nan)
    width = 1 + n * _EFFECT**2
    # (1 + t²/v) / (1 + t²/(v c)) is below K where the ratio is below 1 / (1 - confidence).
    bound = (math.sqrt(width) / (1 - confidence)) ** (2 / n)
    if bound >= width:
        return _interval(values, math.inf)
    return _interval(values, math.sqrt((n - 1) * (bound - 1) / (1 - bound / width)))


def _interval(values: Floats, quantile: float) -> Interval:
    """The mean, and so many standard errors on both sides."""
    mean = float(values.mean()) if len(values) else math.nan
    if len(values) < 2:
        return Interval(mean, math.nan, math.nan)
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    half = quantile * error if error or math.isfinite(quantile) else math.inf
    return Interval(mean, mean - half, mean + half)


def seeds_to_tell(differences: ArrayLike, confidence: float = 0.95) -> int | None:
    """How many pairs it takes in all until Student's t interval leaves zero out, if they go on alike.

    The smallest n with ``|mean| / std * sqrt(n)`` above the quantile for n - 1 degrees of freedom. It is an
    estimate from few values: from five, it is easily wrong by half or twice.

    Returns:
        None of fewer than two, of a mean of zero, and where it takes more than 10,000.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return None
    return _number_to_tell(abs(float(values.mean())), float(values.std(ddof=1)), 1, confidence)


def runs_to_tell(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> int | None:
    """How many runs it takes on each side until Welch's interval leaves zero out; as `seeds_to_tell`."""
    first, second = (np.asarray(side, dtype=np.float64) for side in (a, b))
    if min(len(first), len(second)) < 2:
        return None
    spread = math.hypot(float(first.std(ddof=1)), float(second.std(ddof=1)))
    return _number_to_tell(abs(float(second.mean() - first.mean())), spread, 2, confidence)


def _number_to_tell(mean: float, std: float, sides: int, confidence: float) -> int | None:
    """The smallest n whose mean has a t interval without zero, of ``sides * (n - 1)`` degrees of freedom."""

    def tells(n: int) -> bool:
        return mean * math.sqrt(n) > std * t_quantile(confidence, sides * (n - 1))

    if not tells(_MOST_SEEDS):
        return None
    low, high = 1, _MOST_SEEDS  # it tells of `high`, not of `low`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tells(middle) else (middle, high)
    return high
