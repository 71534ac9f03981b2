"""Means and medians of several curves, and their bands."""

from __future__ import annotations

import numpy as np
import pytest

from vizkit.curves import means
from vizkit.curves.means import Band, Center, band_text, mean_of
from vizkit.metrics.arrays import Floats
from vizkit.metrics.bounds import metric_bounds
from vizkit.runs.intervals import bounded_interval

X = np.arange(5.0)


def some(count: int, seed: int = 0) -> list[tuple[Floats, Floats]]:
    random = np.random.default_rng(seed)
    return [(X, random.random(5)) for _ in range(count)]


@pytest.mark.parametrize("center", ["mean", "median"])
@pytest.mark.parametrize("count", [2, 3, 6, 9])
def test_centres_and_bands_are_those_of_numpy(center: Center, count: int) -> None:
    curves = some(count)
    matrix = np.array([y for _, y in curves])
    expected = np.mean(matrix, axis=0) if center == "mean" else np.median(matrix, axis=0)
    std = matrix.std(axis=0, ddof=1)
    for band, low in (
        ("std", expected - std),
        ("se", expected - std / count**0.5),
        ("minmax", matrix.min(axis=0)),
    ):
        found = mean_of(curves, center=center, band=band)  # type: ignore[arg-type]
        assert found.y == pytest.approx(expected) and found.low == pytest.approx(low)
        assert found.n.tolist() == [count] * 5
    assert mean_of(curves, center=center, band=None).low is None


def test_few_cells_at_once_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = some(4)
    whole = mean_of(curves)
    monkeypatch.setattr(means, "_CELLS", 8)
    parts = mean_of(curves)
    assert parts.y.tolist() == whole.y.tolist() and parts.low is not None and whole.low is not None
    assert parts.low.tolist() == whole.low.tolist()


@pytest.mark.parametrize(("n", "places"), [(2, (0, 1)), (5, (0, 4)), (6, (0, 5)), (9, (1, 7)), (20, (5, 14))])
def test_the_interval_of_a_median_is_of_order_statistics(n: int, places: tuple[int, int]) -> None:
    values = np.random.default_rng(n).permutation(n).astype(float)
    found = mean_of([(X[:1], values[index : index + 1]) for index in range(n)], center="median", band="ci")
    assert found.low is not None and found.high is not None
    assert (found.low[0], found.high[0]) == places


def test_a_median_leaves_runs_out_that_are_nan() -> None:
    curves = [*some(3), (X, np.full(5, np.nan)), (X[:2], np.ones(2))]
    found = mean_of(curves, center="median", band="ci")
    matrix = np.array([*(y for _, y in curves[:4]), [1, 1, np.nan, np.nan, np.nan]])
    assert found.y == pytest.approx(np.nanmedian(matrix, axis=0))
    assert found.n.tolist() == [4, 4, 3, 3, 3]
    nothing = mean_of([(X, np.full(5, np.nan))], center="median", band="ci")
    assert np.isnan(nothing.y).all() and nothing.n.tolist() == [0] * 5


def test_long_curves_of_different_x_count_with_all_their_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "_SHORT", 10)
    random = np.random.default_rng(0)
    curves = []
    for level in (1.0, 2.0, 3.0):
        x = np.sort(random.random(5000))
        y = np.full(5000, level)
        y[::2] += 1  # a sample of each would be 0.5 off
        curves.append((x, y))
    found = mean_of(curves, band="minmax")
    assert len(found.x) == 10 and found.low is not None
    assert found.y == pytest.approx(2.5, abs=0.01) and found.low == pytest.approx(1.5, abs=0.01)


def test_a_stretch_without_finite_points_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "_SHORT", 4)
    x = np.linspace(0, 1, 50)
    y = np.where(x < 0.5, np.nan, 1.0)
    found = mean_of([(x, y), (x + 1e-9, np.ones(50)), (x + 2e-9, np.ones(50))], band=None)
    assert found.n.tolist() == [2, 2, 3, 3]


@pytest.mark.parametrize("center", [0.02, 0.5, 0.98])
def test_an_interval_on_the_logit_scale(center: float) -> None:
    low, high = bounded_interval(np.array([center, 0.0, 1.0]), np.array([0.3, 0.3, 0.0]), 0.0, 1.0)
    assert 0 < low[0] < center < high[0] < 1
    assert (low[1], high[1], low[2], high[2]) == (0, 0, 1, 1)
    near = bounded_interval(
        np.array([center]), np.array([1e-4]), 0.0, 1.0
    )  # small ones are as without bounds
    assert near[0][0] == pytest.approx(center - 1e-4, abs=1e-6)
    percent = bounded_interval(np.array([100 * center]), np.array([30.0]), 0.0, 100.0)
    assert percent[0][0] == pytest.approx(100 * low[0])


def test_at_one_bound_an_interval_is_cut() -> None:
    low, high = bounded_interval(np.array([1.0, 5.0]), np.array([2.0, 2.0]), 0.0)
    assert (low.tolist(), high.tolist()) == ([0, 3], [3, 7])


@pytest.mark.parametrize(
    ("name", "values", "bounds"),
    [
        ("eval/acc", (0.2, 1), (0, 1)),
        ("eval/acc_top5", (20, 93), (0, 100)),
        ("eval/acc", (-1, 1), (-np.inf, np.inf)),
        ("eval/f1/macro", (0, 0.5), (0, 1)),
        ("train/loss", (0.1, 5), (0, np.inf)),
        ("train/loss", (-0.1, 5), (-np.inf, np.inf)),
        ("reward", (0.1, 0.5), (-np.inf, np.inf)),
        ("eval/psnr", (20, 30), (-np.inf, np.inf)),
        ("grad_norm/conv1", (0.1, 5), (0, np.inf)),
        ("gradients/norm", (-0.1, 5), (-np.inf, np.inf)),
        ("layer_norm/bias", (0.1, 5), (-np.inf, np.inf)),
        ("normal", (0.1, 5), (-np.inf, np.inf)),
        ("train/step time ms", (3, 5), (0, np.inf)),
    ],
)
def test_names_and_values_tell_bounds(
    name: str, values: tuple[float, float], bounds: tuple[float, float]
) -> None:
    assert metric_bounds(name, *values) == bounds


@pytest.mark.parametrize("band", ["std", "se", "ci", "minmax"])
@pytest.mark.parametrize("center", ["mean", "median"])
def test_the_way_of_a_band_is_said(center: Center, band: Band) -> None:
    free, bounded = (band_text(center, band, ends) for ends in ((-np.inf, np.inf), (0, 1)))
    said = free != bounded
    assert said is (band != "minmax" and (band, center) != ("ci", "median"))
