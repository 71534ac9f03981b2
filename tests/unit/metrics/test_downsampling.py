"""Downsampling keeps what a reader would see: spikes, gaps, first and last points."""

from __future__ import annotations

import numpy as np
import pytest

from vizkit.metrics.arrays import Floats, Indices
from vizkit.metrics.downsampling import distinct, evenly, thinned


def test_spikes_side_by_side_survive_thinning() -> None:
    y = np.random.default_rng(0).normal(size=1_000_000)
    y[777_777], y[777_778], y[123_456] = 50.0, -50.0, 30.0
    points = thinned(np.arange(len(y)), y, most=4000)
    assert len(points.x) <= 4000
    assert {777_777, 777_778, 123_456, 0, 999_999} <= set(points.x.tolist())
    assert np.array_equal(points.y, y[points.x.astype(int)])


@pytest.mark.parametrize(("count", "most"), [(1003, 40), (1000, 40), (401, 400), (9, 8), (5, 4), (5, 1)])
def test_a_spike_anywhere_survives_thinning(count: int, most: int) -> None:
    for place in range(count):
        y = np.zeros(count)
        y[place] = 1.0 if place % 2 else -1.0
        points = thinned(np.arange(count), y, most=most)
        assert {0, place, count - 1} <= set(points.x.tolist())
        assert len(points.x) <= max(most, 4)


def test_gaps_and_their_kinds_survive_thinning() -> None:
    y = np.linspace(0, 1, 100_000)
    y[50_000:60_000] = np.nan
    y[60_000], y[70_000] = np.inf, -np.inf
    points = thinned(np.arange(len(y)), y, most=1000)
    assert len(points.x) <= 1010
    assert points.gaps_x.tolist() == [50_000, 60_000, 70_000]
    assert np.isnan(points.gaps_y[0]) and points.gaps_y[1:].tolist() == [np.inf, -np.inf]
    assert np.isnan(points.y[np.isin(points.x, points.gaps_x)]).all()


def test_short_curves_are_left_whole() -> None:
    points = thinned(np.array([3, 1, 2]), np.array([1.0, np.nan, 2.0]))
    assert points.x.tolist() == [3, 1, 2]
    assert np.array_equal(points.y, [1.0, np.nan, 2.0], equal_nan=True)
    assert not len(thinned(np.zeros(0), np.zeros(0)).x)


@pytest.mark.parametrize(("count", "most"), [(10, 10), (10, 20), (0, 3)])
def test_few_values_are_all_picked(count: int, most: int) -> None:
    values = np.arange(count)
    assert evenly(values, most) is values


def test_values_are_picked_at_even_distances() -> None:
    assert evenly(np.arange(101), 5).tolist() == [0, 25, 50, 75, 100]
    assert evenly(np.array([2.0, 3.0, 5.0, 7.0]), 2).tolist() == [2, 7]


def test_distinct_indices_are_sorted() -> None:
    assert distinct(np.array([5, 1, 5, 3, 1])).tolist() == [1, 3, 5]


RNG = np.random.default_rng(0)
X = {
    "even": np.arange(100_000.0),
    "ever rarer": np.concatenate((np.linspace(0, 1, 100_000), np.linspace(2, 1000, 999))),
    "ever denser": np.concatenate((np.linspace(0, 999, 999), np.linspace(999, 1000, 100_000))),
    "in bursts": np.sort(RNG.integers(0, 50, 100_000) + RNG.random(100_000) / 1000),
}


def stays_in_every_column(x: Floats, y: Floats, shown: Indices, columns: int) -> None:
    """The extremes of each pixel column are still there, in it or right beside it."""
    edges = np.linspace(x[0], x[-1], columns + 1)
    for column in range(columns):
        of_all = y[slice(*np.searchsorted(x, edges[column : column + 2]))]
        first, last = max(column - 1, 0), min(column + 2, columns)
        ends = np.searchsorted(x[shown], edges[first]), np.searchsorted(x[shown], edges[last], "right")
        near = shown[slice(*ends)]
        if len(of_all):
            assert y[near].max(initial=-np.inf) >= of_all.max()
            assert y[near].min(initial=np.inf) <= of_all.min()


@pytest.mark.parametrize("kind", X)
def test_no_stretch_of_x_is_coarse(kind: str) -> None:
    x, y = X[kind], RNG.normal(size=len(X[kind]))
    points = thinned(x, y, most=4000)
    assert len(points.x) <= 4000 and np.array_equal(points.y, y[points.places])
    stays_in_every_column(x, y, points.places, 400)
    assert (np.diff(points.places) <= 3 * len(x) / 1000).all()  # nor is any stretch of many points


def test_a_logarithmic_axis_is_not_coarse_at_its_beginning() -> None:
    x, y = np.arange(1.0, 1e6), RNG.normal(size=999_999)
    points = thinned(x, y, most=4000, across=np.log(x))
    stays_in_every_column(np.log(x), y, points.places, 400)


def test_x_that_goes_back_or_overflows() -> None:
    y = np.arange(10_000.0)
    for x in (np.tile(np.arange(100.0), 100), np.linspace(-1, 1, 10_000) * 1.7e308, np.zeros(10_000)):
        points = thinned(x, y, most=400)
        assert len(points.places) <= 400 and points.places[[0, -1]].tolist() == [0, 9999]
        assert np.array_equal(points.x, x[points.places])
