"""Confident learning equals its definition, written as loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vizkit.metrics.confident_learning import class_thresholds, confident_classes


def by_definition(labels: np.ndarray, scores: np.ndarray) -> list[int]:
    """The confident class of each sample; Northcutt et al. (2021), equations 1 and 2."""
    classes = range(scores.shape[1])
    thresholds = {j: np.mean([row[j] for row, y in zip(scores, labels, strict=True) if y == j])
                  for j in classes if j in labels}  # fmt: skip
    found = []
    for row in scores:
        over = [j for j in thresholds if row[j] >= thresholds[j] - 1e-6]
        found.append(max(over, key=lambda j: row[j]) if over else -1)
    return found


@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 10**6), st.floats(0.05, 5))
def test_the_confident_class_is_that_of_the_definition(n: int, k: int, seed: int, sharp: float) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.dirichlet([sharp] * k, n), rng.integers(0, k, n)
    thresholds = class_thresholds(labels, scores[np.arange(n), labels], k)
    assert confident_classes(scores, thresholds).tolist() == by_definition(labels, scores)


def test_the_paper_s_example_of_classes_of_different_confidence() -> None:
    # The network is less sure of class 1: 0.6 is much there, and little for class 0.
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6], [0.6, 0.4], [0.3, 0.7]])
    labels = np.array([0, 0, 1, 1, 1, 0])
    thresholds = class_thresholds(labels, scores[np.arange(6), labels], 2)
    np.testing.assert_allclose(thresholds, [0.7, 1.6 / 3])
    assert confident_classes(scores, thresholds).tolist() == [0, 0, 1, 1, -1, 1]


def test_scores_that_are_all_equal_reach_their_own_mean() -> None:
    scores = np.tile(np.array([[0.9, 0.1]], np.float32), (7, 1))
    labels = np.zeros(7, np.int64)
    thresholds = class_thresholds(labels, scores[:, 0], 3)
    assert np.isinf(thresholds[1:]).all()
    assert confident_classes(np.pad(scores, ((0, 0), (0, 1))), thresholds).tolist() == [0] * 7
