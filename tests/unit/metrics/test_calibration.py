"""Reliability: the numbers of the paper and of scikit-learn."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from vizkit.errors import DataError
from vizkit.metrics.calibration import BINS, Reliability, compute_reliability, reliability_sums


def reliability(probabilities: Any, came_true: Any) -> Reliability:
    return Reliability.of(reliability_sums(np.asarray(probabilities), np.asarray(came_true, bool)))


@given(
    st.lists(
        st.tuples(st.sampled_from([k / 15 for k in range(16)]) | st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=80,
    )
)
def test_bins_are_those_of_scikit_learn_and_ece_that_of_the_paper(pairs: list[tuple[float, bool]]) -> None:
    probabilities, came_true = (np.array(column) for column in zip(*pairs, strict=True))
    found = reliability(probabilities, came_true)
    if came_true.any() and not came_true.all():
        share, mean = calibration_curve(came_true, probabilities, n_bins=BINS)
        held = found.counts > 0
        np.testing.assert_allclose(found.accuracy[held], share, atol=1e-12)
        np.testing.assert_allclose(found.confidence[held], mean, atol=1e-12)
    total = 0.0
    edges = np.linspace(0, 1, BINS + 1)
    for low, high in itertools.pairwise(edges):
        inside = (probabilities > low) & (probabilities <= high) | ((low == 0) & (probabilities == 0))
        if inside.any():
            total += inside.sum() * abs(came_true[inside].mean() - probabilities[inside].mean())
    assert found.ece == pytest.approx(total / len(pairs), abs=1e-12)


def test_known_cases() -> None:
    assert reliability([0.8] * 10, [1] * 8 + [0] * 2).ece == pytest.approx(0)
    assert reliability([1.0] * 4, [1, 1, 0, 0]).ece == pytest.approx(0.5)
    assert reliability([0.9, 0.9, 0.1, 0.1], [1, 0, 0, 0]).ece == pytest.approx(0.25)
    assert np.isnan(Reliability.of(np.zeros((3, BINS))).ece)


def test_sums_of_batches_add_up() -> None:
    rng = np.random.default_rng(1)
    scores, right = rng.random(50), rng.random(50) < 0.5
    parts = reliability_sums(scores[:20], right[:20]) + reliability_sums(scores[20:], right[20:])
    assert Reliability.of(parts).ece == pytest.approx(reliability(scores, right).ece)


def test_the_text_holds_all_of_it() -> None:
    rng = np.random.default_rng(2)
    sums = reliability_sums(rng.random(9), rng.random(9) < 0.5)  # some bins are empty
    found = Reliability.of(sums, ("probability", "share of positives"))
    again = Reliability.from_text(found.as_text())
    np.testing.assert_array_equal(again.counts, found.counts)
    np.testing.assert_array_equal(again.confidence, found.confidence)
    np.testing.assert_array_equal(again.accuracy, found.accuracy)
    assert again.axes == found.axes
    assert again.ece == found.ece


@pytest.mark.parametrize(
    "text", ["", "hello", "true \\ predicted\t0\n0\t1", "from\tto\tsamples\ta\tb\n0\t1\t2\t3\t4"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="reliability diagram"):
        Reliability.from_text(text)


def test_of_several_classes_the_highest_probability_counts() -> None:
    found = compute_reliability([0, 1, 1], [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]])
    assert found.axes == ("confidence", "accuracy")
    assert found.counts.sum() == 3
    assert found.accuracy[10] == 0  # 0.7 for the wrong class
    assert found.ece == pytest.approx((0.1 + 0.7 + 0.2) / 3)


def test_of_one_class_the_positives_count() -> None:
    for shape in ((4,), (4, 1)):
        found = compute_reliability([1, 0, 1, 1], np.array([0.9, 0.9, 0.3, 0.3]).reshape(shape))
        assert found.axes == ("probability", "share of positives")
        assert found.ece == pytest.approx((0.4 + 0.7) / 2)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [0.1, 0.2, 0.3], r"2 labels need probabilities of shape \[2\]"),
        ([0], np.zeros((1, 2, 2)), "need probabilities of shape"),
        ([0, 1], [0.1, 1.2], r"must lie in \[0, 1\]"),
        ([0], [[3.0, -1.0]], "softmax or sigmoid"),
    ],
)
def test_other_probabilities_are_refused(labels: Any, probabilities: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        compute_reliability(labels, probabilities)
