"""Means, intervals and alignment; the numbers equal SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.runs.intervals import align, column_statistics, t_quantile, welch

stats = pytest.importorskip("scipy.stats")
NAN = float("nan")


@pytest.mark.parametrize("df", [0.5, 1, 2, 3, 4.7, 10, 30.3, 500, 123_456.0, 1e9])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_quantiles_of_students_t(df: float, confidence: float) -> None:
    assert t_quantile(confidence, df) == pytest.approx(stats.t.ppf(0.5 + confidence / 2, df), rel=1e-7)


numbers = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8)


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(numbers, numbers)
def test_welchs_interval(a: list[float], b: list[float]) -> None:
    found = welch(a, b)
    if np.var(a) + np.var(b) < 1e-12:
        assert found.value == pytest.approx(np.mean(b) - np.mean(a), abs=1e-9)
        return
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx(np.mean(b) - np.mean(a), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)


@given(numbers)
def test_the_interval_of_a_mean(values: list[float]) -> None:
    *_, (low,), (high,) = column_statistics(np.array(values)[:, None])
    error = stats.sem(values)
    half = stats.t.ppf(0.975, len(values) - 1) * error
    assert (low, high) == pytest.approx((np.mean(values) - half, np.mean(values) + half), rel=1e-9, abs=1e-7)


def test_too_few_values_have_no_interval() -> None:
    (mean,), *_, (high,) = column_statistics(np.ones((1, 1)))
    assert math.isnan(high) and mean == 1
    assert math.isnan(welch([1.0], [2.0, 3.0]).high) and welch([1.0], [2.0, 3.0]).value == 1.5
    assert welch([1.0, 1.0], [2.0, 2.0]) == (1, 1, 1)


def test_spread_leaves_nan_out() -> None:
    mean, std, n, low, high = column_statistics(np.array([[1.0, NAN, NAN], [3.0, 5.0, NAN]]))
    assert mean[:2].tolist() == [2, 5] and n.tolist() == [2, 1, 0] and math.isnan(mean[2])
    assert std[0] == pytest.approx(math.sqrt(2)) and np.isnan(std[1:]).all() and np.isnan(low[1:]).all()
    assert high[0] - 2 == pytest.approx(stats.t.ppf(0.975, 1))


def test_aligned_series_have_values_only_where_they_are() -> None:
    grid = np.arange(5.0)
    values, covered = align(
        [(np.array([1, 3]), np.array([10.0, 30.0])), (np.array([0, 1, 1, 2]), np.array([1, 2, 3.0, NAN]))],
        grid,
    )
    assert np.array_equal(values[0], [NAN, 10, 20, 30, NAN], equal_nan=True)
    assert np.array_equal(values[1], [1, 3, NAN, NAN, NAN], equal_nan=True)  # the later of two at one place
    assert covered.tolist() == [[False, True, True, True, False], [True, True, True, False, False]]


def test_a_curve_without_points_has_no_values() -> None:
    values, covered = align([(np.empty(0), np.empty(0))], np.arange(3.0))
    assert np.isnan(values).all() and not covered.any()
