"""Intervals that stay right however often one looks, and how many seeds would tell."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vizkit._language import tr, trn
from vizkit.metrics.arrays import Floats
from vizkit.runs.intervals import Interval, t_quantile

__all__ = [
    "Seeds",
    "anytime_interval",
    "more_seeds",
    "more_seeds_text",
    "paired_interval",
    "runs_to_tell",
    "seeds_to_tell",
]

_EFFECT = 1.0
_MOST_SEEDS = 1_000
_SURE = 0.8


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


class Seeds(NamedTuple):
    """A range of numbers of seeds; ``most`` is None where it has no end."""

    least: int
    most: int | None


def seeds_to_tell(differences: ArrayLike, confidence: float = 0.95) -> Seeds | None:
    """How many pairs it takes in all until Student's t interval leaves zero out: a range, right in 80 %.

    It is the number for the true difference, the smallest n with ``|mean| / std * sqrt(n)`` above the
    quantile for n - 1 degrees of freedom. A single number would be within 20 % of it in less than a third of
    studies, even if the spread were known, since the difference is not, and goes into the number with its
    square. The range is that of the 80 % interval of the effect size (L. V. Hedges, "Distribution theory for
    Glass's estimator of effect size", Journal of Educational Statistics 6 (1981)). It has no end where that
    interval holds zero, and where it takes more than 1,000.

    Returns:
        None of fewer than two, of differences that are all equal, and where it takes more than 1,000.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return None
    return _needed(
        abs(float(values.mean())), float(values.std(ddof=1)), 1 / len(values), len(values) - 1, 1, confidence
    )


def runs_to_tell(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Seeds | None:
    """How many runs it takes on each side until Welch's interval leaves zero out; as `seeds_to_tell`."""
    first, second = (np.asarray(side, dtype=np.float64) for side in (a, b))
    if min(len(first), len(second)) < 2:
        return None
    variances = [float(side.var(ddof=1)) for side in (first, second)]
    spread = math.sqrt(sum(variances))
    error = sum(v / len(side) for v, side in zip(variances, (first, second), strict=True))
    share = error / spread**2 if spread else 1.0
    df = len(first) + len(second) - 2
    return _needed(abs(float(second.mean() - first.mean())), spread, share, df, 2, confidence)


def _needed(mean: float, std: float, share: float, df: int, sides: int, confidence: float) -> Seeds | None:
    """The range of the number of seeds, from the 80 % interval of ``mean / std``.

    Args:
        mean, std: the difference and its deviation.
        share: the variance of the mean, as a share of ``std**2``.
        df: degrees of freedom of ``std``.
        sides: 1 of pairs, 2 of two groups.
        confidence: of the interval that is to leave zero out.
    """
    if not std:
        return None
    found = mean / std
    half = NormalDist().inv_cdf(0.5 + _SURE / 2) * math.sqrt(share + found**2 / (2 * df))
    effect = found * (1 - 3 / (4 * df - 1))  # a few values make the effect look greater than it is
    least = _number_to_tell(effect + half, sides, confidence)
    most = _number_to_tell(effect - half, sides, confidence) if effect > half else None
    return None if least is None else Seeds(least, most)


def _number_to_tell(effect: float, sides: int, confidence: float) -> int | None:
    """The smallest n whose mean has a t interval without zero, of ``sides * (n - 1)`` degrees of freedom."""

    def tells(n: int) -> bool:
        return effect * math.sqrt(n) > t_quantile(confidence, sides * (n - 1))

    if not tells(_MOST_SEEDS):
        return None
    low, high = 1, _MOST_SEEDS  # it tells of `high`, not of `low`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tells(middle) else (middle, high)
    return high


def more_seeds(needed: Seeds | None, n: int) -> Seeds | None:
    """How many more than ``n`` it takes; None if that is unknown, or if as many should have told already."""
    if needed is None or (needed.most is not None and needed.most <= n):
        return None
    return Seeds(max(needed.least - n, 1), None if needed.most is None else needed.most - n)


def more_seeds_text(more: Seeds) -> str:
    """The words for how many more seeds would tell."""
    if more.most is None:
        return trn(
            "; it takes at least {n} more seed to tell (80 %)",
            "; it takes at least {n} more seeds to tell (80 %)",
            more.least,
        )
    if more.most == more.least:
        return trn(
            "; it takes {n} more seed to tell (80 %)", "; it takes {n} more seeds to tell (80 %)", more.least
        )
    return tr("; it takes {low} to {high} more seeds to tell (80 %)", low=more.least, high=more.most)
