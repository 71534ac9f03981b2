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
from vizkit.runs.sequential import (
    Seeds,
    anytime_interval,
    more_seeds,
    more_seeds_text,
    paired_interval,
    runs_to_tell,
    seeds_to_tell,
)

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


def needed(effect: float, sides: int = 1) -> int:
    """The number of seeds that a true effect needs: the smallest n whose interval leaves zero out."""
    return next(n for n in range(2, 1_001) if effect * math.sqrt(n) > stats.t.ppf(0.975, sides * (n - 1)))


@pytest.mark.parametrize(("effect", "pilot"), [(0.5, 3), (0.5, 10), (1.0, 5), (1.5, 4)])
def test_the_range_of_seeds_that_it_takes_is_right_in_four_of_five(effect: float, pilot: int) -> None:
    found = [seeds_to_tell(row) for row in np.random.default_rng(pilot).normal(effect, 1, (400, pilot))]
    true = needed(effect)
    assert all(one is None or one.least >= 2 for one in found)
    right = [one is not None and one.least <= true <= (one.most or math.inf) for one in found]
    assert np.mean(right) > 0.76  # 0.80 less two deviations of 400


@pytest.mark.parametrize("pilot", [3, 8])
def test_so_is_that_of_two_groups(pilot: int) -> None:
    r = np.random.default_rng(pilot)
    found = [runs_to_tell(r.normal(0, 1, pilot), r.normal(1, 1, pilot)) for _ in range(400)]
    true = needed(1 / math.sqrt(2), 2)
    right = [one is not None and one.least <= true <= (one.most or math.inf) for one in found]
    assert np.mean(right) > 0.76


def test_ends_of_the_range_are_those_of_the_effect() -> None:
    differences = np.array([0.4, 0.1, 0.5, 0.2, 0.1])
    found, d = seeds_to_tell(differences), differences.mean() / differences.std(ddof=1)
    half = stats.norm.ppf(0.9) * math.sqrt(1 / 5 + d**2 / 8)
    assert found is not None and found == (needed(0.8 * d + half), needed(0.8 * d - half))  # J of 4 is 0.8
    assert seeds_to_tell([-0.4, -0.1, -0.5, -0.2, -0.1]) == found
    assert seeds_to_tell([1.0, -1.0, 0.5]) == (seeds_to_tell([1.0, -1.0, 0.5]) or Seeds(0, 0))._replace(
        most=None
    )
    for unknown in ([], [1.0], [1.0, 1.0]):
        assert seeds_to_tell(unknown) is None
    assert runs_to_tell([1.0], [2.0, 3.0]) is None


def test_more_seeds_are_what_is_missing() -> None:
    assert more_seeds(Seeds(7, 30), 5) == (2, 25) and more_seeds(Seeds(3, None), 5) == (1, None)
    assert more_seeds(Seeds(3, 5), 5) is None and more_seeds(None, 5) is None
    assert more_seeds_text(Seeds(2, 25)) == "; it takes 2 to 25 more seeds to tell (80 %)"
    assert more_seeds_text(Seeds(1, None)) == "; it takes at least 1 more seed to tell (80 %)"
    assert more_seeds_text(Seeds(4, 4)) == "; it takes 4 more seeds to tell (80 %)"
