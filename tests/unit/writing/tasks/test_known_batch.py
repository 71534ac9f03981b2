from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vizkit.errors import DataError
from vizkit.writing.tasks.known_batch import (
    binary_labels,
    class_labels,
    known_batch,
    known_or_classes,
    numbered,
)
from vizkit.writing.tasks.task import LabelledBatch, LossFacts

SCORES = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)


@pytest.mark.parametrize(
    ("labels", "output", "expected"),
    [
        ([1, 0], SCORES, [1, 0]),
        ([[1], [0]], SCORES, [1, 0]),
        ([1.0, 0.0], SCORES, None),  # not whole numbers
        ([1, 0, 1], SCORES, None),
        ([1, 0], SCORES[:, :1], None),  # one class
        ([1, 0], SCORES.astype(np.int64), None),  # no scores
        ([1, 0], SCORES[0], None),
    ],
)
def test_class_labels_are_those_of_a_classifier(labels: Any, output: Any, expected: Any) -> None:
    found = class_labels(np.array(labels), output)
    assert (None if found is None else found.tolist()) == expected


@pytest.mark.parametrize(
    ("labels", "output", "expected"),
    [
        ([[0, 1], [1, 1]], SCORES, [[False, True], [True, True]]),
        ([0.0, 1.0], SCORES[0], [False, True]),
        ([[0, 2], [1, 1]], SCORES, None),
        ([0, 1, 1], SCORES, None),
        ([[0, 1], [1, 1]], SCORES.astype(np.int64), None),
        ([1, 0], SCORES[:, :1], [[True], [False]]),  # of a single class
        ([[1], [0]], SCORES[:, 0], [True, False]),
        ([-1, 1], SCORES[0], None),
    ],
)
def test_binary_labels_are_0_and_1_in_the_shape_of_the_output(
    labels: Any, output: Any, expected: Any
) -> None:
    found = binary_labels(np.array(labels), output)
    assert (None if found is None else found.tolist()) == expected


def test_binary_labels_may_be_signs() -> None:
    found = binary_labels(np.array([-1.0, 1.0]), SCORES[0], signs=True)
    assert found is not None and found.tolist() == [False, True]
    assert binary_labels(np.array([-1.0, 1.5]), SCORES[0], signs=True) is None


UNKNOWN, IGNORING = LossFacts(), LossFacts(ignore_index=-100)
CLASSES = LossFacts("softmax", "classes", class_axis=-1)
MAPS = np.zeros((2, 1, 4, 5), np.float32)
LAST = np.zeros((2, 4, 5, 3), np.float32)
SHARES = np.array([[0.1, 0.9], [0.75, 0.25]], np.float32)


@pytest.mark.parametrize(
    ("labels", "outputs", "facts", "task"),
    [
        ([[0.5], [2.0]], SCORES[:, :1], UNKNOWN, "regression"),
        ([0.5, 2.0], SCORES[:, :1], UNKNOWN, "regression"),
        ([[3], [2]], SCORES[:, :1], UNKNOWN, "regression"),  # counts
        (MAPS + 0.5, MAPS, UNKNOWN, "regression"),
        (SHARES, SCORES, UNKNOWN, None),  # or shares of classes
        (SHARES, SCORES, CLASSES, "classification"),
        ([0.5, 2.0], SCORES[0], CLASSES, None),
        ([0.5, 2.0], SCORES[0], LossFacts(task="other"), None),
        ([1, 0], SCORES, LossFacts(task="other"), None),
        (np.zeros((2, 4), int), LAST[:, :, 0], UNKNOWN, "labelling"),
        (np.zeros((2, 3), int), LAST[:, :3, 0], UNKNOWN, None),  # or the classes are on axis 1
        (np.zeros((2, 4, 5), int), LAST, UNKNOWN, "segmentation"),
        (MAPS[:, 0].astype(int), LAST.transpose(0, 3, 1, 2), UNKNOWN, "segmentation"),
        (MAPS, MAPS, LossFacts("sigmoid", "classes"), "segmentation"),
        (MAPS, MAPS, UNKNOWN, "segmentation"),  # of one class
        (np.array([0.0, 1, -100]), SCORES[0, [0, 0, 0]], IGNORING, "classification"),
        (None, SCORES, UNKNOWN, None),
        ([1, 0], None, UNKNOWN, None),
    ],
)
def test_the_task_of_a_batch_whose_loss_tells_little(
    labels: Any, outputs: Any, facts: LossFacts, task: str | None
) -> None:
    found = known_batch(labels if labels is None else np.array(labels), outputs, facts)
    assert (found and found.task) == task
    told = labels is MAPS and facts is UNKNOWN
    assert bool(found and found.said) == (
        task == "regression" or told or (labels is SHARES and facts is CLASSES)
    )


def test_a_small_batch_is_of_the_task_of_those_before() -> None:
    last = np.array([[1.0]]), np.array([[0.25]], np.float32)
    found = known_batch(*last, UNKNOWN, "regression")
    assert found is not None and found.task == "regression"
    found = known_batch(np.zeros((2, 3), int), LAST[:, :3, 0], UNKNOWN, "labelling")
    assert found is not None and found.task == "labelling"


def test_classes_last_and_shares_become_what_tasks_take() -> None:
    found = known_batch(np.zeros((2, 4, 5), int), LAST, UNKNOWN)
    assert found is not None and np.shape(found.outputs) == (2, 3, 4, 5)  # type: ignore[arg-type]
    found = known_batch(SHARES, SCORES, CLASSES)
    assert found is not None and np.array(found.labels).tolist() == [1, 0]


@pytest.mark.parametrize("labels", [["dog", "cat"], ("dog", "cat"), np.array(["dog", "cat"])])
def test_names_of_classes_are_their_numbers(labels: Any) -> None:
    found = numbered(LabelledBatch(labels, SCORES), ["cat", "dog"])
    assert np.array(found.labels).tolist() == [1, 0]
    with pytest.raises(DataError, match="'dog' is none of the class names"):
        numbered(LabelledBatch(labels, SCORES), ["cat", "bird"])


@pytest.mark.parametrize("outputs", [["a", "b"], [("a", 0.8), ("bc", [0.9, 0.7])]])
@pytest.mark.parametrize("names", [None, ["cat", "dog"]])
def test_labels_that_are_texts_stay_texts_beside_texts(outputs: Any, names: Any) -> None:
    batch = LabelledBatch(["dog", "cat"], outputs)
    assert numbered(batch, names) is batch


def test_labels_that_are_texts_need_names_beside_scores() -> None:
    with pytest.raises(DataError, match="give class_names"):
        numbered(LabelledBatch(["dog", "cat"], SCORES), None)


def test_a_later_batch_of_another_task_is_left_as_it_is() -> None:
    batch = LabelledBatch(np.array([0.5, 2.0]), SCORES[0])
    assert known_or_classes(batch, UNKNOWN, None)[0] == "regression"
    assert known_or_classes(batch, UNKNOWN, "classification") == ("classification", batch, "")
