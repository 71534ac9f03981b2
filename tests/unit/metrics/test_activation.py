"""Probabilities from logits, at the ends of float64 too."""

from __future__ import annotations

import numpy as np
import pytest

from vizkit.errors import DataError
from vizkit.metrics.activation import ScoreEvidence, activate, are_distributions


def test_without_an_activation_scores_stay() -> None:
    scores = np.array([3.0, -1.0])
    assert activate(scores, None) is scores


def test_a_sigmoid_of_float32_is_computed_in_float64() -> None:
    found = activate(np.array([-800, -18, 0, 18, 19, 800], np.float32), "sigmoid")
    assert found.dtype == np.float64
    assert found[0] == 0 and found[2] == 0.5 and found[-1] == 1
    assert found[3] < found[4] < 1  # tied in float32
    assert found[1] == pytest.approx(1 / (1 + np.exp(18)), rel=1e-12)


def test_a_softmax_sums_to_one_whatever_the_size_of_the_logits() -> None:
    found = activate(np.array([[1000.0, 1000.0], [-1e308, 0.0], [1.0, 3.0]]), "softmax")
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    assert found[0].tolist() == [0.5, 0.5]
    assert found[1].tolist() == [0, 1]
    assert found[2, 1] == pytest.approx(1 / (1 + np.exp(-2)), rel=1e-12)
    assert activate(np.empty((0, 3)), "softmax").shape == (0, 3)


def test_rows_of_infinity_have_no_softmax() -> None:
    scores = np.array([[np.inf, 0.0], [0.0, 0.0], [-np.inf, -np.inf], [-np.inf, 0.0]])
    with pytest.raises(DataError, match="2 of 4 rows have no softmax"):
        activate(scores, "softmax")


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([[0.25, 0.75], [1.0, 0.0]], True),
        ([[0.251, 0.751]], False),  # float16's rounding, or logits
        ([[0.251, 0.751]] * 20, True),  # float16's rounding
        ([[0.167, 0.630, 0.206]], False),
        ([[0.3, 0.8]], False),
        ([[-0.1, 1.1]], False),
        ([[np.nan, 1.0]], False),
        ([[1e308, 1e308]], False),
    ],
)
def test_distributions_are_recognised(scores: list[list[float]], expected: bool) -> None:
    assert are_distributions(np.array(scores)) is expected


@pytest.mark.parametrize(
    ("batches", "sums_to_one", "expected"),
    [
        ([], True, "auto"),
        ([[[0.167, 0.630, 0.206]]], True, "auto"),
        ([[[0.167, 0.630, 0.206]], [[-1.0, 2.0, 0.5]]], True, "softmax"),
        ([[[-1.0, 2.0, 0.5]], [[0.25, 0.25, 0.5]]], True, "softmax"),
        ([[[0.25, 0.25, 0.5]]], True, None),
        ([[[0.1, 0.9], [0.9, 0.9]]], False, "auto"),
        ([[[0.1, 0.9]] * 10], False, None),
        ([[[0.1, 0.9]] * 10, [[0.1, 1.1]]], False, "sigmoid"),
        ([[[np.nan, 1.0]]], True, "softmax"),
    ],
)
def test_all_scores_of_an_evaluation_tell_what_they_are(
    batches: list[list[list[float]]], sums_to_one: bool, expected: str | None
) -> None:
    evidence = ScoreEvidence(sums_to_one=sums_to_one)
    for batch in batches:
        evidence.add(np.array(batch))
    assert evidence.activation == expected
