"""Smoothing, beside its definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vizkit.curves.smoothing import Smoothing, SmoothLike, smoothed, smoothing
from vizkit.errors import DataError
from vizkit.metrics.arrays import Floats

ALL = [0.5, "time:0.9", "gaussian:2.5", "gaussian:40", "mean:4", "mean:5"]


def test_exponential_smoothing_is_a_weighted_mean_of_what_came_before() -> None:
    values = np.array([4.0, 2.0, np.nan, 6.0, np.inf])
    got = smoothed(values, smoothing(0.5))
    assert got[:2].tolist() == [4.0, pytest.approx((2 * 2.0 + 4.0) / 3)]
    assert got[3] == pytest.approx((4 * 6.0 + 2 * 2.0 + 4.0) / 7)
    assert np.isnan(got[2]) and got[4] == np.inf


def weighted(values: Floats, weights: Floats) -> Floats:
    return np.asarray((weights * values).sum(axis=1) / weights.sum(axis=1))


@pytest.mark.parametrize("weight", [0.3, 0.9, 0.999])
def test_weights_by_x_decay_in_thousandths_of_its_range(weight: float) -> None:
    random = np.random.default_rng(0)
    x, values = np.cumsum(random.exponential(size=50)), random.random(50)
    distance = (x[:, None] - x) / (x[-1] - x[0]) * 1000
    weights = np.where(distance >= 0, weight ** np.maximum(distance, 0), 0)
    assert smoothed(values, Smoothing("time", weight), x) == pytest.approx(
        weighted(values, weights), rel=1e-6
    )


def test_on_an_even_axis_both_exponentials_agree() -> None:
    values = np.random.default_rng(0).random(1001)
    by_x = smoothed(values, smoothing("time:0.9"), np.arange(1001))
    assert by_x == pytest.approx(smoothed(values, smoothing(0.9)), rel=1e-9)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 50, 200])
def test_a_running_mean_is_that_of_the_points_around(width: int) -> None:
    values = np.random.default_rng(0).random(60)
    starts = [max(place - width // 2, 0) for place in range(60)]
    expected = [
        values[start : max(place - width // 2 + width, 1)].mean() for place, start in enumerate(starts)
    ]
    assert smoothed(values, Smoothing("mean", width)) == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 2, 7, 30])
@pytest.mark.parametrize("width", [2, 3, 7, 8, 59, 60, 61, 1000])
def test_a_running_mean_of_a_short_curve_has_the_points_that_are_there(n: int, width: int) -> None:
    values = np.random.default_rng(0).random(n)
    before = min(width, 2 * n) // 2
    expected = [
        values[max(place - before, 0) : place - before + min(width, 2 * n)].mean() for place in range(n)
    ]
    assert smoothed(values, Smoothing("mean", width)) == pytest.approx(expected)


@pytest.mark.parametrize("sigma", [0.4, 3.0, 20.0])
def test_a_gaussian_weighs_by_distance(sigma: float) -> None:
    values = np.random.default_rng(0).random(200)
    distance = np.arange(200)[:, None] - np.arange(200)
    weights = np.exp(-0.5 * (distance / sigma) ** 2) * (abs(distance) <= math.ceil(4 * sigma))
    assert smoothed(values, Smoothing("gaussian", sigma)) == pytest.approx(weighted(values, weights))


def test_wide_gaussians_are_nearly_those_of_the_formula() -> None:
    spike = np.zeros(4001)
    spike[2000] = 1.0
    got = smoothed(spike, Smoothing("gaussian", 100.0))
    exact = np.exp(-0.5 * ((np.arange(4001) - 2000) / 100) ** 2)
    exact /= exact.sum()
    assert np.abs(got - exact).max() < 0.04 * exact.max()
    assert got.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("how", ALL)
def test_every_kind_keeps_constants_gaps_and_what_a_spike_is_far_from(how: SmoothLike) -> None:
    values = np.full(3000, 7.0)
    x = np.arange(3000)
    assert smoothed(values, smoothing(how), x) == pytest.approx(7.0, rel=1e-12)
    values[100], values[200], values[2500] = np.nan, -np.inf, 1e100
    got = smoothed(values, smoothing(how), x)
    assert np.isnan(got[100]) and got[200] == -np.inf
    far = np.r_[got[:100], got[300:2200]]
    assert far == pytest.approx(7.0, rel=1e-9)
    nothing = np.full(3, np.nan)
    assert np.isnan(smoothed(nothing, smoothing(how), np.arange(3))).all()
    assert smoothed(np.empty(0), smoothing(how), np.empty(0)).size == 0


@pytest.mark.parametrize("how", ["exponential:0", 0, 0.0, "mean:1", "gaussian:0", "time:0", "0"])
def test_some_amounts_change_nothing(how: SmoothLike) -> None:
    values = np.arange(3.0)
    assert smoothed(values, smoothing(how)) is values


@pytest.mark.parametrize(
    "how", [1, -0.1, math.nan, "time:1", "median:3", "gaussian", "mean:-1", "mean:1e9", "", None]
)
def test_others_are_refused(how: SmoothLike) -> None:
    with pytest.raises(DataError, match="smooth must"):
        smoothing(how)
