"""Errors of values: scikit-learn's numbers; PSNR and SSIM as their definitions say, with loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    explained_variance_score,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from vizkit.errors import DataError
from vizkit.metrics.image_quality import psnr, ssim
from vizkit.metrics.regression import QUANTILES, RegressionResult, RegressionScores


def gathered(labels: Any, predictions: Any, batch: int = 7, limit: int = 10**6) -> RegressionResult:
    scores = RegressionScores(limit)
    for start in range(0, len(labels), batch):
        scores.add(labels[start : start + batch], predictions[start : start + batch])
    return scores.result()


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 4), st.sampled_from([0, 1e6]),
    st.sampled_from([1e-3, 1, 1e4]), st.integers(1, 20),
)  # fmt: skip
def test_all_errors(seed: int, n: int, k: int, offset: float, scale: float, batch: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.normal(offset, scale, (n, k))
    predictions = labels + rng.normal(0.3 * scale, scale, (n, k))
    if seed % 3 == 0:
        labels[:, 0] = offset  # does not vary
    found = gathered(labels, predictions, batch)
    raw: Any = {"multioutput": "raw_values"}
    np.testing.assert_allclose(found.mae, mean_absolute_error(labels, predictions, **raw))
    np.testing.assert_allclose(found.rmse, root_mean_squared_error(labels, predictions, **raw))
    np.testing.assert_allclose(found.r2, r2_score(labels, predictions, **raw), rtol=1e-6, atol=1e-9)
    expected = explained_variance_score(labels, predictions, **raw)
    np.testing.assert_allclose(found.explained_variance, expected, rtol=1e-6, atol=1e-9)
    errors = predictions - labels
    np.testing.assert_allclose(found.bias, errors.mean(axis=0), atol=1e-9 * scale)
    np.testing.assert_allclose(found.quantiles, np.quantile(np.abs(errors), QUANTILES, axis=0))
    assert found.stride == 1 and found.samples == n


def test_labels_of_one_column() -> None:
    labels = np.arange(5.0)
    found = gathered(labels[:, None].astype(np.float32), labels + 1)
    assert found.mae.tolist() == [1.0] and found.samples == 5


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_past_the_limit_every_so_many_pairs_are_kept(batch: int) -> None:
    labels = np.arange(1000.0)
    predictions = labels + np.random.default_rng(0).normal(0, 1, 1000)
    found = gathered(labels, predictions, batch, limit=100)
    assert found.stride == 32 and found.labels[:, 0].tolist() == labels[::32].tolist()
    assert found.mae[0] == pytest.approx(np.abs(predictions - labels).mean())


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        (np.zeros(3), np.zeros((3, 2)), "same shape"),
        (np.zeros(3), np.full(3, np.nan), "finite"),
        (np.full(3, np.inf), np.zeros(3), "finite"),
        (np.zeros((3, 3)), np.zeros((3, 3)), "same shape"),  # two outputs before
    ],
)
def test_what_does_not_fit_is_refused(labels: Any, predictions: Any, words: str) -> None:
    scores = RegressionScores(100)
    if words != "finite":
        scores.add(np.zeros((1, 2)), np.zeros((1, 2)))
    with pytest.raises(DataError, match=words):
        scores.add(labels, predictions)


def test_nothing_was_added() -> None:
    with pytest.raises(DataError, match="no samples"):
        RegressionScores(10).result()


# ---- images ----------------------------------------------------------------------------------------


def expected_ssim(x: Any, y: Any, span: float) -> float:
    """SSIM window by window, as it is written in the paper."""
    place = np.arange(11) - 5
    weights = np.exp(-(place[:, None] ** 2 + place**2) / 4.5)
    weights /= weights.sum()
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            ma, mb = (weights * a).sum(), (weights * b).sum()
            va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
            both = (weights * (a - ma) * (b - mb)).sum()
            c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
            values.append((2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return float(np.mean(values))


@pytest.mark.parametrize("shape", [(11, 11), (13, 17), (30, 12)])
def test_ssim_is_that_of_the_paper(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    true = rng.uniform(0, 1, (2, 3, *shape))
    found = true + rng.normal(0, 0.1, true.shape)
    values = ssim(true, found, np.array([1.0, 255.0]))
    for s, span in enumerate((1.0, 255.0)):
        for i in range(2):
            expected = np.mean([expected_ssim(true[i, c], found[i, c], span) for c in range(3)])
            assert values[s, i] == pytest.approx(expected, rel=1e-9)
    assert ssim(true, true, np.array([1.0])).tolist() == [[1.0, 1.0]]


def test_an_image_smaller_than_the_window_has_no_ssim() -> None:
    small = np.zeros((1, 1, 10, 30))
    assert np.isnan(ssim(small, small, np.ones(1))).all()


def test_psnr() -> None:
    true = np.zeros((2, 1, 4, 4), np.float32)
    found = true.copy()
    found[1] += 0.1
    values = psnr(true, found, np.array([1.0, 2.0]))
    assert values[0, 0] == np.inf and values[0, 1] == pytest.approx(20)
    assert values[1, 1] == pytest.approx(20 + 20 * np.log10(2))
