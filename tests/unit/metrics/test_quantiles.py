"""Predicted quantiles against references of a few lines, and scikit-learn's pinball loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from vizkit import DataError
from vizkit.metrics.quantiles import QuantileScores, point_and_quantiles


@given(
    count=st.integers(1, 40),
    outputs=st.integers(1, 3),
    levels=st.sampled_from([(0.1, 0.9), (0.05, 0.1, 0.5, 0.9, 0.95), (0.2, 0.5, 0.7), (0.25, 0.5, 0.75)]),
    seed=st.integers(0, 1000),
)
def test_all_numbers_equal_their_definitions(
    count: int, outputs: int, levels: tuple[float, ...], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (count, outputs)).astype(float)  # equal to some quantiles
    quantiles = rng.integers(0, 4, (count, outputs, len(levels))).astype(float)
    scores = QuantileScores(levels)
    for some in np.array_split(np.arange(count), 3):
        scores.add(labels[some], quantiles[some])
    found = scores.result()
    assert found.crossed == sum((np.diff(rows) < 0).any() for rows in quantiles)
    for k in range(outputs):
        below = [np.mean(labels[:, k] <= quantiles[:, k, q]) for q in range(len(levels))]
        np.testing.assert_allclose(found.below[:, k], below)
        assert found.calibration_error[k] == pytest.approx(
            np.mean([abs(share - level) for share, level in zip(below, levels, strict=True)])
        )
        losses = [mean_pinball_loss(labels[:, k], quantiles[:, k, q], alpha=a) for q, a in enumerate(levels)]
        assert found.pinball[k] == pytest.approx(np.mean(losses))
        pairs = [
            (i, levels.index(round(1 - a, 9)))
            for i, a in enumerate(levels)
            if a < 0.5 and 1 - a in np.round(levels, 9)
        ]
        assert len(pairs) == len(found.shares) or levels == (0.2, 0.5, 0.7)
        for p, (low, high) in enumerate(pairs):
            ends = quantiles[:, k, low], quantiles[:, k, high]
            inside = (ends[0] <= labels[:, k]) & (labels[:, k] <= ends[1])
            assert found.shares[p] == pytest.approx(levels[high] - levels[low])
            assert found.coverage[p, k] == pytest.approx(inside.mean())
            assert found.width[p, k] == pytest.approx((ends[1] - ends[0]).mean())


def test_mean_and_variance_are_those_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(0)
    mean, variance = rng.normal(size=(2, 20_000)) ** 2
    labels = rng.normal(mean, np.sqrt(variance))
    together = point_and_quantiles(np.stack([mean, variance], axis=1), labels, "normal")
    apart = point_and_quantiles((mean[:, None], variance[:, None]), labels[:, None], "normal")
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(together[0][:, 0], mean)
    scores = QuantileScores("normal")
    scores.add(labels[:, None], together[1])
    found = scores.result()
    np.testing.assert_allclose(found.below[:, 0], found.levels, atol=0.012)
    np.testing.assert_allclose(found.shares, [0.95, 0.9, 0.8, 0.5])
    np.testing.assert_allclose(found.width[1, 0], 2 * 1.6448536 * np.sqrt(variance).mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("levels", "expected"), [((0.1, 0.5, 0.9), 2.0), ((0.1, 0.4, 0.6, 0.9), 2.5), ((0.1, 0.2), 2)]
)
def test_the_predicted_value_is_the_median_or_lies_between_the_quantiles_around_it(
    levels: Any, expected: float
) -> None:
    outputs = np.arange(1.0, 1 + len(levels))[None]
    point, quantiles = point_and_quantiles(outputs, np.zeros(1), levels)
    assert point.tolist() == [[expected]] and quantiles.shape == (1, 1, len(levels))


@pytest.mark.parametrize("levels", [(0.5,), (0.9, 0.1), (0, 0.5), (0.5, 1.0), "gauss", 3, ((0.1, 0.9),)])
def test_bad_levels(levels: Any) -> None:
    with pytest.raises(DataError, match="ascending levels"):
        QuantileScores(levels)


@pytest.mark.parametrize(
    ("outputs", "quantiles", "message"),
    [
        (np.zeros((3, 2)), (0.1, 0.5, 0.9), "an axis of 3"),
        (np.zeros(9), (0.1, 0.5, 0.9), "an axis of 3"),
        (np.zeros((3, 3)), "normal", "an axis of 2"),
        (np.full((3, 2), -1.0), "normal", "0 or more"),
        (np.full((3, 2), np.nan), "normal", "finite"),
    ],
)
def test_bad_outputs(outputs: Any, quantiles: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        point_and_quantiles(outputs, np.zeros(3), quantiles)
