"""Intervals at any look: against SciPy, by their definition, and by simulated looks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.metrics.arrays import Floats
from vizkit.runs.intervals import Interval
from vizkit.runs.sequential import anytime_interval, paired_interval, runs_to_tell, seeds_to_tell

stats = pytest.importorskip("scipy.stats")
integrate = pytest.importorskip("scipy.integrate")

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30).filter(lambda some: np.std(some) > 1e-6)


@given(VALUES)
def test_the_interval_of_pairs_is_scipys(differences: list[float]) -> None:
    found = paired_interval(differences)
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("n", "confidence"), [(8, 0.95), (12, 0.95), (20, 0.999), (100, 0.95)])
def test_the_ends_are_where_the_likelihood_ratio_of_the_t_statistic_is_one_in_alpha(
    n: int, confidence: float
) -> None:
    """The mixture over effect sizes from N(0, 1) of the noncentral t distribution, integrated numerically."""
    values = np.random.default_rng(n).normal(0.3, 2, n)
    found = anytime_interval(values, confidence)
    t = (values.mean() - found.low) / (values.std(ddof=1) / math.sqrt(n))

    def likelihood(effect: float) -> float:
        density = stats.nct.pdf(t, n - 1, math.sqrt(n) * effect) * stats.norm.pdf(effect)
        return float(density)

    ratio = integrate.quad(likelihood, -12, 12, points=[t / math.sqrt(n)], limit=200)[0] / stats.t.pdf(
        t, n - 1
    )
    assert ratio == pytest.approx(1 / (1 - confidence), rel=1e-3)
    assert found.high - found.value == pytest.approx(found.value - found.low)


def test_few_values_have_no_end_and_one_has_no_interval() -> None:
    assert anytime_interval([1.0, 2.0, 1.5]).low == -math.inf
    assert math.isnan(anytime_interval([1.0]).low) and math.isnan(anytime_interval([]).value)
    assert math.isnan(paired_interval([2.0]).low) and paired_interval([2.0]).value == 2.0


def test_looking_after_each_value_is_wrong_in_at_most_one_of_twenty() -> None:
    """400 histories of 60 values around 0: Student's interval leaves 0 out at some look in many of them."""
    histories = np.random.default_rng(1).normal(size=(400, 60))

    def ever_wrong(interval: Callable[[Floats], Interval], row: Floats) -> bool:
        return any(not found.low <= 0 <= found.high for found in (interval(row[:n]) for n in range(2, 61)))

    wrong = [ever_wrong(anytime_interval, row) for row in histories]
    peeked = [ever_wrong(paired_interval, row) for row in histories]
    assert np.mean(wrong) <= 0.05
    assert np.mean(peeked) > 0.15


@given(VALUES, st.floats(0.01, 100))
def test_intervals_scale_with_the_values(differences: list[float], scale: float) -> None:
    one, other = anytime_interval(differences), anytime_interval([scale * value for value in differences])
    assert other.high == pytest.approx(scale * one.high, rel=1e-6, abs=1e-9)


def test_as_many_seeds_as_it_takes_tell() -> None:
    differences = np.array([0.4, -0.1, 0.5, 0.2, 0.1])
    needed = seeds_to_tell(differences)
    assert needed is not None and needed > 5
    mean, std = differences.mean(), differences.std(ddof=1)
    ends = [mean - std / math.sqrt(n) * stats.t.ppf(0.975, n - 1) for n in (needed - 1, needed)]
    assert ends[0] <= 0 < ends[1]
    assert seeds_to_tell([0.1, 0.2]) == seeds_to_tell([-1.0, -2.0])
    assert seeds_to_tell([1.0, 1.0]) == 2
    for unknown in ([], [1.0], [1.0, -1.0], [1e-6, 1.0, -1.0]):
        assert seeds_to_tell(unknown) is None


def test_as_many_runs_as_it_takes_tell() -> None:
    a, b = np.array([0.1, 0.3, 0.2]), np.array([0.2, 0.35, 0.4])
    needed = runs_to_tell(a, b)
    assert needed is not None and needed > 3
    spread = math.hypot(a.std(ddof=1), b.std(ddof=1))
    ends = [
        b.mean() - a.mean() - spread / math.sqrt(n) * stats.t.ppf(0.975, 2 * n - 2)
        for n in (needed - 1, needed)
    ]
    assert ends[0] <= 0 < ends[1]
    assert runs_to_tell([1.0], [2.0, 3.0]) is None
