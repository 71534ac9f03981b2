from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.sample_images import class_probabilities, image_axes, looks_like_images, samples_of
from vizkit.writing.tasks.known_batch import class_labels

SCORES = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)


def test_a_batch_without_labels_or_output_has_none() -> None:
    batch = Batch()
    assert batch.first_label is None
    assert class_labels(batch.first_label, batch.output) is None
    assert not looks_like_images(batch)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((3, 8, 9), "CHW"),
        ((1, 4, 4), "CHW"),
        ((8, 9, 4), "HWC"),
        ((3, 3, 3), None),  # too small
        ((5, 8, 8), None),  # 5 channels
        ((8, 8), None),
        ((1, 3, 8, 8), None),
    ],
)
def test_images_are_recognised_by_their_shape(shape: tuple[int, ...], axes: str | None) -> None:
    assert image_axes(shape) == axes


def test_samples_of_a_regression_have_numbers_but_not_vectors() -> None:
    images = np.zeros((2, 8, 8, 1), np.float32)
    (sample,) = samples_of(Batch([images], [np.array([[4], [5]])], [np.array([0.5, 1.5])]), [1])
    assert (sample.label, sample.prediction, sample.axes) == (5, 1.5, "HWC")
    (sample,) = samples_of(Batch([images], [np.zeros((2, 4))], [np.zeros((2, 4))]), [0])
    assert (sample.label, sample.prediction) == (None, None)


def test_probabilities_are_kept_and_logits_get_a_softmax() -> None:
    np.testing.assert_allclose(probabilities_of(SCORES, None), SCORES, rtol=1e-15)
    logits = np.log(np.array([[1.0, 3.0], [1.0, 1.0]])) + 7
    np.testing.assert_allclose(probabilities_of(logits, "softmax"), np.array([[0.25, 0.75], [0.5, 0.5]]))
    np.testing.assert_allclose(probabilities_of(np.zeros((1, 2)), "sigmoid"), np.array([[0.5, 0.5]]))
    assert class_probabilities(SCORES, "auto") is None


def test_probabilities_of_low_precision_sum_to_one() -> None:
    found = probabilities_of(np.array([[0.1, 0.2, 0.7004]], np.float16), None)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def probabilities_of(scores: Any, activation: Any) -> Any:
    found = class_probabilities(scores, activation)
    assert found is not None
    return found
