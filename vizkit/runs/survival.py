"""Times until a target is reached, which some runs never do: Kaplan-Meier curves, the log-rank test."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from vizkit.metrics.arrays import Bools, Floats
from vizkit.runs.intervals import Interval

__all__ = ["LogRank", "Survival", "log_rank", "survival"]

_SHUFFLES = 5_000
_SEED = 0
_BLOCK = 1 << 19  # numbers that are divided at a time


@dataclass(frozen=True, eq=False)
class Survival:
    """A Kaplan-Meier curve: the share of runs that have not reached the target.

    Attributes:
        times: (k,) the times at which runs reached it, ascending.
        share: (k,) the share that has not, from each time on; before the first it is 1.
        low, high: (k,) its 95 % interval at each time, on the log-log scale; NaN where the share is 0 or 1.
        median: the first time at which half or more have reached it, with its interval (Brookmeyer and
            Crowley 1982): infinite where that never happens.
    """

    times: Floats
    share: Floats
    low: Floats
    high: Floats
    median: Interval


def survival(times: ArrayLike, reached: ArrayLike, confidence: float = 0.95) -> Survival:
    """The Kaplan-Meier estimate.

    Source: E. L. Kaplan and P. Meier, Journal of the American Statistical Association 53 (1958); the
    intervals are Greenwood's on the log-log scale (Kalbfleisch and Prentice 1980). A run that was not watched
    any longer is taken to be like those that were: not so if the bad ones were ended early.

    Args:
        times: (n,) of each run, at which it reached the target or was last watched.
        reached: (n,) True where it reached it.
        confidence: of the intervals.
    """
    t, event = np.asarray(times, dtype=np.float64), np.asarray(reached, dtype=bool)
    at, events = np.unique(t[event], return_counts=True)
    risk = len(t) - np.searchsorted(np.sort(t), at)
    share = np.cumprod(1 - events / risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (risk * (risk - events)))
        log = np.log(share)
        half = NormalDist().inv_cdf(0.5 + confidence / 2) * np.sqrt(greenwood) / np.abs(log)
        low, high = (np.exp(log * np.exp(sign * half)) for sign in (1, -1))
    ends = [_first(at, np.where(np.isnan(low), 0.0, low)), _first(at, np.where(np.isnan(high), 1.0, high))]
    return Survival(at, share, low, high, Interval(_first(at, share), *ends))


def _first(times: Floats, share: Floats) -> float:
    """The first time at which at most half are left; infinite if there is none."""
    there = np.flatnonzero(share <= 0.5 + 1e-12)
    return float(times[there[0]]) if len(there) else math.inf


@dataclass(frozen=True)
class LogRank:
    """A log-rank test of two groups.

    Attributes:
        statistic: the standardised difference, above 0 where the first group reaches the target later.
        p: two-sided, by permutation of the runs: of all ways, or of 5,000 random ones.
    """

    statistic: float
    p: float


def log_rank(a: tuple[ArrayLike, ArrayLike], b: tuple[ArrayLike, ArrayLike]) -> LogRank:
    """The log-rank test of two groups; NaN where no run reached the target.

    Source: N. Mantel, Cancer Chemotherapy Reports 50 (1966). With a few runs a side the normal distribution
    of the statistic gives too small a p (0.02 of three against three, of which 1 division in 10 is as far
    apart): the statistic is compared to those of other divisions of the runs. This assumes that both groups
    were watched alike.

    Args:
        a, b: times and whether they were reached, as of `survival`.
    """
    sides = [(np.asarray(t, dtype=np.float64), np.asarray(r, dtype=bool)) for t, r in (a, b)]
    times = np.concatenate([t for t, _ in sides])
    event = np.concatenate([r for _, r in sides])
    n, first = len(times), len(sides[0][0])
    own = np.arange(n) < first
    statistic = float(_statistics(times, event, own[None])[0])
    if not math.isfinite(statistic):
        return LogRank(math.nan, math.nan)
    ways = as_far = 0
    for chosen in _divisions(n, first):
        ways += len(chosen)
        as_far += int((np.abs(_statistics(times, event, chosen)) >= abs(statistic) - 1e-9).sum())
    return LogRank(statistic, as_far / ways)


def _divisions(n: int, first: int) -> Iterator[Bools]:
    """Divisions of n runs in two, in blocks of (ways, n): all, or random ones with that of ``first``."""
    if math.comb(n, first) <= _SHUFFLES:
        ways = np.array(list(itertools.combinations(range(n), first)), dtype=np.int64).reshape(-1, first)
        chosen = np.zeros((len(ways), n), dtype=bool)
        chosen[np.arange(len(ways))[:, None], ways] = True
        yield chosen
        return
    own = np.arange(n) < first
    yield own[None]
    random, rows = np.random.default_rng(_SEED), max(_BLOCK // n, 1)
    for start in range(0, _SHUFFLES, rows):
        yield random.permuted(np.tile(own, (min(rows, _SHUFFLES - start), 1)), axis=1)


def _statistics(times: Floats, event: Bools, chosen: Bools) -> Floats:
    """The log-rank statistic of the chosen runs of each row, (ways,)."""
    order = np.argsort(times, kind="stable")
    _, starts = np.unique(times[order], return_index=True)
    n, event, chosen = len(times), event[order], chosen[:, order].astype(np.float64)
    risk, events = n - starts, np.add.reduceat(event.astype(np.float64), starts)
    own_risk = chosen.sum(axis=1)[:, None] - (np.cumsum(chosen, axis=1) - chosen)[:, starts]
    own_events = np.add.reduceat(chosen * event, starts, axis=1)
    share = own_risk / risk
    expected = (events * share).sum(axis=1)
    variance = (events * share * (1 - share) * (risk - events) / np.maximum(risk - 1, 1)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((expected - own_events.sum(axis=1)) / np.sqrt(variance))
