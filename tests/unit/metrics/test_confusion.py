"""Confusion matrices: scikit-learn's numbers, and errors that name what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import confusion_matrix as reference

from vizkit.errors import DataError
from vizkit.metrics.confusion import ConfusionMatrix, compute_confusion_matrix

pytestmark = pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
RNG = np.random.default_rng(3)


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray]:
    classes = draw(st.integers(1, 12))
    ids = hnp.arrays(np.int64, draw(st.integers(1, 50)), elements=st.integers(0, classes - 1))
    return classes, draw(ids), draw(ids)


@given(samples())
def test_counts_equal_those_of_scikit_learn(given_samples: tuple[int, np.ndarray, np.ndarray]) -> None:
    classes, labels, predictions = given_samples
    found = compute_confusion_matrix(labels, predictions, num_classes=classes)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, reference(labels, predictions, labels=range(classes)))


@given(samples(), st.data())
def test_sums_of_weights_equal_those_of_scikit_learn(
    given_samples: tuple[int, np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    classes, labels, predictions = given_samples
    weights = data.draw(hnp.arrays(np.float64, len(labels), elements=st.floats(0, 1e6)))
    assume(weights.any())  # scikit-learn refuses samples that all weigh nothing
    found = compute_confusion_matrix(labels, predictions, num_classes=classes, weights=weights)
    assert found.dtype == np.float64
    expected = reference(labels, predictions, labels=range(classes), sample_weight=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_rows_are_true_and_columns_predicted() -> None:
    assert compute_confusion_matrix([0, 0, 1], [1, 1, 1]).tolist() == [[0, 2], [0, 1]]


def test_weights_of_whole_numbers_give_floats_all_the_same() -> None:
    found = compute_confusion_matrix([0, 1], [0, 1], weights=[2, 3])
    assert found.dtype == np.float64
    assert found.tolist() == [[2, 0], [0, 3]]


def test_one_weight_counts_for_all() -> None:
    assert compute_confusion_matrix([0, 1, 1], [0, 1, 0], weights=0.5).tolist() == [[0.5, 0], [0.5, 0.5]]


def test_scores_count_for_the_highest_and_of_equals_the_first() -> None:
    scores = [[0.1, 0.7, 0.2], [0.4, 0.4, 0.2], [0.0, -np.inf, np.inf]]
    assert compute_confusion_matrix([0, 0, 2], scores).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_classes_without_samples_have_their_row_and_column() -> None:
    assert compute_confusion_matrix([0], [0], num_classes=3).sum() == 1
    assert compute_confusion_matrix([0], [0], num_classes=3).shape == (3, 3)
    assert compute_confusion_matrix([0], [3]).shape == (4, 4)
    assert compute_confusion_matrix([0], np.eye(5)[:1]).shape == (5, 5)


@pytest.mark.parametrize("convert", [list, np.asarray, paddle.to_tensor, lambda x: np.asarray(x)[:, None]])
def test_labels_may_come_as_lists_arrays_tensors_and_columns(convert: Any) -> None:
    labels, predictions = [0, 1, 2, 2], [0, 2, 2, 1]
    expected = reference(labels, predictions)
    np.testing.assert_array_equal(compute_confusion_matrix(convert(labels), convert(predictions)), expected)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_scores_may_be_tensors_with_gradients(dtype: str) -> None:
    scores = paddle.to_tensor([[0.25, 0.75], [1.0, 0.5]], stop_gradient=False).astype(dtype)
    assert compute_confusion_matrix(paddle.to_tensor([[1], [1]]), scores).tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.uint64, np.float16, np.float32])
def test_ids_may_be_of_any_real_type(dtype: Any) -> None:
    assert compute_confusion_matrix(np.array([0, 1], dtype), np.array([1, 1], dtype)).tolist() == [
        [0, 1],
        [0, 1],
    ]


def test_no_samples_give_zeros_once_the_classes_are_known() -> None:
    assert not compute_confusion_matrix([], [], num_classes=2).any()
    assert compute_confusion_matrix([], np.zeros((0, 3))).shape == (3, 3)
    assert compute_confusion_matrix([], [], num_classes=2, weights=[]).dtype == np.float64
    with pytest.raises(DataError, match="give num_classes"):
        compute_confusion_matrix([], [])


def test_arguments_stay_as_they_are() -> None:
    labels, scores = np.array([0, 1]), np.array([[0.0, 1.0], [1.0, 0.0]])
    labels.flags.writeable = scores.flags.writeable = False
    compute_confusion_matrix(labels, scores, weights=labels)


@pytest.mark.parametrize(
    ("labels", "predictions", "options", "message"),
    [
        ([0, 1], [0], {}, "equal length, got 2 and 1"),
        ([0], 0, {}, "got 1 and one number"),
        ([0, -100, -100], [0, 0, 0], {}, "labels must not be negative, got -100 in 2 of 3.*; leave out"),
        ([0, 1], [0, -1], {}, "predictions must not be negative, got -1"),
        ([0, 1, 7, 5], [0] * 4, {"num_classes": 5}, "labels must be below.*, 5, got 5, 7 in 2"),
        ([0, 1], [0, 9], {"num_classes": 2}, "predictions must be below the number of classes, 2, got 9"),
        ([0, 2], np.eye(2), {}, "labels must be below the number of classes, 2, got 2"),
        (range(9), range(9), {"num_classes": 1}, r"got 1, 2, 3, 4, 5, \.\.\. in 8 of 9"),
        ([0.5, 1], [0, 1], {}, "labels must be whole class ids, got 0.5"),
        ([0, 1], [0.2, 0.9], {}, "predictions must be whole class ids, got 0.2, 0.9"),
        ([0, np.nan], [0, 1], {}, "whole class ids, got nan in 1 of 2"),
        ([0, np.inf], [0, 1], {}, "whole class ids, got inf"),
        ([0, 1], [[0.2], [0.9]], {}, "one score for each sample.*threshold"),
        ([0, 1, 1], [[np.nan, 1], [0, 1], [np.nan, np.nan]], {}, "3 of 6 scores are NaN, in 2 of 3 samples"),
        ([0, 1], np.eye(2), {"num_classes": 3}, "scores of 2 classes, but num_classes is 3"),
        (np.eye(2), [0, 1], {}, "labels must be of shape.*argmax"),
        (np.zeros((2, 4, 4)), [0, 1], {}, "flatten"),
        ([0], np.zeros((1, 2, 2)), {}, "predictions must be of shape.*flatten"),
        ([0], np.zeros((1, 0)), {}, "scores of no class"),
        ([0, 10**9], [0, 1], {}, "class id 1000000000 would make"),
        ([0], np.array([2**64 - 1], np.uint64), {}, "class id 18446744073709551615 would make"),
        ([0], [0], {"num_classes": 10**6}, "num_classes=1000000 would make"),
        ([0], [0], {"num_classes": 0}, "num_classes must be"),
        ([0], [0], {"num_classes": 2.0}, "num_classes must be"),
        ([0, 1], [0, 1], {"weights": [1]}, "labels and weights must be of equal length, got 2 and 1"),
        ([0, 1], [0, 1], {"weights": [1, np.nan]}, "weights must be finite.*, got nan in 1 of 2"),
        ([0, 1], [0, 1], {"weights": [1, -2]}, "weights must be finite and not negative, got -2.0"),
        (["cat"], ["dog"], {}, "array of numbers"),
        ([1j], [0], {}, "labels must be real numbers"),
    ],
)
def test_what_is_wrong_is_named(labels: Any, predictions: Any, options: dict[str, Any], message: str) -> None:
    if isinstance(labels, range):
        labels, predictions = list(labels), list(predictions)
    with pytest.raises(DataError, match=message):
        compute_confusion_matrix(labels, predictions, **options)


@pytest.mark.parametrize("classes", [1, 3, 200, 201, 1000])
def test_the_text_of_a_matrix_holds_its_numbers(classes: int) -> None:
    labels, predictions = RNG.integers(0, classes, (2, 500))
    counts = compute_confusion_matrix(labels, predictions, num_classes=classes)
    names = tuple(f"class {number}" for number in range(classes))
    text = ConfusionMatrix(names, counts).as_text()
    assert text is not None
    found = ConfusionMatrix.from_text(text)
    assert found.names == names and found.counts.dtype == np.int64
    np.testing.assert_array_equal(found.counts, counts)
    assert found.accuracy == (labels == predictions).mean()
    assert ("=" in text) == (classes > 200)
    weighted = ConfusionMatrix(names, counts / 3)
    np.testing.assert_array_equal(ConfusionMatrix.from_text(weighted.as_text() or "").counts, counts / 3)


def test_a_matrix_of_too_many_numbers_has_no_text() -> None:
    names = tuple(map(str, range(201)))
    assert ConfusionMatrix(names, np.ones((201, 201), np.int64)).as_text() is None
    assert np.isnan(ConfusionMatrix(("a",), np.zeros((1, 1), np.int64)).accuracy)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        "x\ta\tb\na\t1\t2",
        "x\ta\na\tmany",
        "x\ta\na\t-1",
        "x\ta\na\t7=1",
        "x\ta\na\t0=nan",
        "x\ta\na\t1\t2",
    ],
)
def test_another_text_is_no_matrix(text: str) -> None:
    with pytest.raises(DataError, match="not the numbers of a confusion matrix"):
        ConfusionMatrix.from_text(text)
