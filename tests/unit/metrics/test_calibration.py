"""Reliability: the numbers of the paper and of scikit-learn, and a diagram that shows them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from vizkit.errors import DataError
from vizkit.media.diagrams import reliability_image
from vizkit.metrics.calibration import BINS, Reliability, reliability_sums

ORANGE = (253, 200, 145)
BLUE = (66, 146, 198)


def share_of(image: Any, color: Any) -> float:
    return float((image == color).all(axis=2).mean())


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


def test_the_diagram_shows_gaps_and_where_they_lie() -> None:
    sure = reliability_image(reliability([0.95] * 10, [1] * 3 + [0] * 7))
    right = reliability_image(reliability([0.95] * 20, [1] * 19 + [0]))
    shy = reliability_image(reliability([0.3] * 10, [1] * 9 + [0]))
    assert sure.dtype == np.uint8
    assert sure.shape == right.shape == shy.shape
    gaps = [share_of(image, ORANGE) for image in (sure, right, shy)]
    assert gaps[1] == 0
    assert gaps[0] == pytest.approx(0.65 * gaps[2] / 0.6, rel=0.1)
    rows = [np.flatnonzero((image == BLUE).all(axis=2).any(axis=1)) for image in (sure, shy)]
    gap_rows = [np.flatnonzero((image == ORANGE).all(axis=2).any(axis=1)) for image in (sure, shy)]
    assert gap_rows[0].max() < rows[0].min() + 5  # on top of the bar
    assert gap_rows[1].max() > gap_rows[1].min() > 0


def test_a_diagram_of_nothing_and_of_one_bin() -> None:
    nothing = reliability_image(Reliability.of(np.zeros((3, BINS))))
    assert share_of(nothing, BLUE) == 0
    assert (nothing != 255).any()
    assert share_of(reliability_image(reliability([0.0], [False])), BLUE) > 0
