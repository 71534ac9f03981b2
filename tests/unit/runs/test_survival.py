"""Kaplan-Meier curves and log-rank tests: SciPy's numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.metrics.arrays import Bools, Floats
from vizkit.runs.survival import log_rank, survival

stats = pytest.importorskip("scipy.stats")


def watched(key: int, n: int, scale: float = 10.0) -> tuple[Floats, Bools]:
    """Times, many of them equal, of which some are those of runs that did not get there."""
    r = np.random.default_rng(key)
    times = np.ceil(r.exponential(scale, n))
    ends = np.ceil(r.exponential(2 * scale, n))
    return np.minimum(times, ends), times <= ends


def censored(times: Floats, reached: Bools) -> object:
    return stats.CensoredData(uncensored=times[reached], right=times[~reached])


@given(st.integers(0, 2**32), st.integers(2, 30))
def test_the_curve_and_its_intervals_are_scipys(key: int, n: int) -> None:
    times, reached = watched(key, n)
    if not reached.any():
        assert survival(times, reached).median == (math.inf, math.inf, math.inf)
        return
    found = survival(times, reached)
    with np.errstate(all="ignore"):
        expected = stats.ecdf(censored(times, reached)).sf
        interval = expected.confidence_interval(0.95, method="log-log")
    at = np.isin(expected.quantiles, found.times)
    assert found.share == pytest.approx(expected.probabilities[at])
    inside = found.share > 0
    assert found.low[inside] == pytest.approx(interval.low.probabilities[at][inside], abs=1e-9)
    assert found.high[inside] == pytest.approx(interval.high.probabilities[at][inside], abs=1e-9)


def test_the_median_counts_those_that_never_get_there() -> None:
    times, reached = np.array([1.0, 2, 3, 4, 4]), np.array([True, True, True, False, False])
    assert survival(times, reached).median.value == 3.0  # not 2, the median of those that came
    assert survival(times, reached & (times < 3)).median.value == math.inf
    assert survival(times, [True] * 5).median == (3.0, 1.0, math.inf)
    early = survival([1.0, 2, 2, 5, 9, 9], [False, True, True, True, False, False])  # one was not watched on
    assert early.share.tolist() == pytest.approx([3 / 5, 2 / 5]) and early.median.value == 5.0


def test_the_interval_of_a_median_holds_it() -> None:
    """300 groups of 25 exponential times, watched until 15: the true median is 10 log 2."""
    r = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        times = r.exponential(10, 25)
        low, high = survival(np.minimum(times, 15), times <= 15).median[1:]
        held += low <= 10 * math.log(2) <= high
    assert held / 300 > 0.9


@given(st.integers(0, 2**32), st.integers(3, 12), st.integers(3, 12))
def test_the_log_rank_statistic_is_scipys(key: int, n: int, m: int) -> None:
    a, b = watched(key, n), watched(key + 1, m, 20.0)
    if not (a[1].any() and b[1].any()):
        return
    with np.errstate(all="ignore"):
        expected = stats.logrank(censored(*a), censored(*b)).statistic
    found = log_rank(a, b)
    assert found.statistic == pytest.approx(-expected, nan_ok=True)
    assert log_rank(b, a).statistic == pytest.approx(expected, nan_ok=True)


def test_its_p_is_that_of_all_divisions_of_a_few_runs_and_near_scipys_of_many() -> None:
    apart = log_rank(([1.0, 2, 3], [True] * 3), ([7.0, 8, 9], [True] * 3))
    assert apart.p == pytest.approx(2 / 20) and apart.statistic < 0
    assert stats.logrank([1.0, 2, 3], [7.0, 8, 9]).pvalue < 0.03
    a, b = watched(0, 60), watched(1, 60, 15.0)
    with np.errstate(all="ignore"):
        expected = stats.logrank(censored(*a), censored(*b)).pvalue
    assert 0.001 < expected < 0.5 and log_rank(a, b).p == pytest.approx(expected, abs=0.02)
    assert math.isnan(log_rank(([1.0, 2], [False] * 2), ([3.0], [False])).p)
