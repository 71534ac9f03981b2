"""The task of a batch whose loss tells little: known from the shapes and types of its labels and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np

from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Bools, Ints, dtype_of, shape_of, to_array, to_view
from vizkit.metrics.named_classes import class_numbers, texts_in
from vizkit.writing.tasks.choice import are_texts, known_task
from vizkit.writing.tasks.task import LabelledBatch, Labels, LossFacts, TaskName

__all__ = ["KnownBatch", "binary_labels", "class_labels", "known_batch", "known_or_classes", "numbered"]

_VALUES = (
    "The loss does not tell what the network is for. It was taken for a regression: labels and outputs are "
    "numbers of the same shape."
)
_MASKS = (
    "The loss does not tell what the network is for. It was taken for a segmentation of one class: labels "
    "are maps of 0 and 1."
)
_SOFT = "Labels are shares of the classes: the class with the largest counts, as for Paddle's Accuracy."
_SUM = 1e-3  # how far the sum of a label's shares may be from 1


class KnownBatch(NamedTuple):
    """The labels and outputs of a batch as those of a task.

    Attributes:
        task: what the network is for.
        labels: what is true.
        outputs: what the network gave.
        said: what was taken for granted; in English, since it is recorded.
    """

    task: TaskName
    labels: Labels
    outputs: Labels
    said: str = ""


def known_or_classes(
    batch: LabelledBatch, facts: LossFacts, before: TaskName | None
) -> tuple[TaskName, LabelledBatch, str]:
    """The task of a batch, the batch as the task takes it, and what was taken for granted.

    What can be several is taken for a classification, which refuses what does not fit it.
    """
    found = known_batch(batch.labels, batch.outputs, facts, before)
    if found is None or before not in (None, found.task):
        return before or "classification", batch, ""
    return found.task, replace(batch, labels=found.labels, outputs=found.outputs), found.said


def numbered(batch: LabelledBatch, names: Sequence[str] | None) -> LabelledBatch:
    """A batch whose labels are names of classes with their numbers, beside scores.

    Raises:
        DataError: a name that is none of the classes, or no names to look it up in.
    """
    texts = texts_in(batch.labels)
    if texts is None or are_texts(batch.outputs) or "float" not in dtype_of(batch.outputs):
        return batch
    if not names:
        raise DataError("labels are texts: give class_names, in the order of the scores")
    return replace(batch, labels=class_numbers(texts, names))


def known_batch(
    labels: Labels | None, outputs: Labels | None, facts: LossFacts, before: TaskName | None = None
) -> KnownBatch | None:
    """The task of a batch; None if it can be several, or none.

    Args:
        labels: the labels; None if the batch has none.
        outputs: the first output; None if there is none.
        facts: what the loss tells.
        before: the task of the batches before, which a small batch may leave open.
    """
    if labels is None or outputs is None:
        return None
    known = known_task(labels, outputs, facts)
    if known not in (None, "classification"):
        return KnownBatch(known, labels, outputs)
    if facts.task == "other" or "float" not in dtype_of(outputs):
        return None
    if before == "regression" and _fit(labels, outputs):
        return KnownBatch("regression", labels, outputs)
    found = _of_maps(labels, outputs, facts, before) or _of_classes(labels, outputs, facts)
    if found is None and facts.task is None and _fit(labels, outputs) and _are_values(labels, facts):
        return KnownBatch("regression", labels, outputs, _VALUES)
    return found


def _of_classes(labels: Labels, outputs: Labels, facts: LossFacts) -> KnownBatch | None:
    ids = class_labels(labels, outputs)
    if ids is not None:
        return KnownBatch("classification", ids, outputs)
    if facts.task == "classes" and facts.activation == "softmax" and shape_of(labels) == shape_of(outputs):
        shares = _array(labels)
        if _are_shares(shares):  # also one-hot ones: other batches may be soft
            said = "" if ((shares == 0) | (shares == 1)).all() else _SOFT
            return KnownBatch("classification", shares.argmax(axis=1), outputs, said)
    sides = binary_labels(labels, outputs, signs=facts.task == "classes")
    if sides is not None:
        return KnownBatch("classification", sides, outputs)
    counted = _counted(labels, facts)
    if counted is not None and binary_labels(np.where(counted, _array(labels), 0), outputs) is not None:
        return KnownBatch("classification", labels, outputs)  # it leaves out those that do not count
    return None


def _of_maps(labels: Labels, outputs: Labels, facts: LossFacts, before: TaskName | None) -> KnownBatch | None:
    """The task of scores at several places: of pixels or tokens."""
    given, found = shape_of(labels), shape_of(outputs)
    if (
        facts.task in ("classes", None)
        and len(found) in (4, 5)
        and given == found
        and 1 in (found[1], found[-1])
    ):
        sides = _array(labels)
        if ((sides == 0) | (sides == 1)).all():
            said = "" if facts.task == "classes" else _MASKS
            return KnownBatch("segmentation", sides.astype(np.int64), outputs, said)
    if facts.task is not None or "int" not in dtype_of(labels) or len(found) not in (3, 4, 5):
        return None
    first, last = [found[0], *found[2:]], found[:-1]
    if given not in (last, [*last, 1]) or (first == last and before != "labelling"):
        return None  # or the classes are on axis 1
    if len(found) == 3:
        return KnownBatch("labelling", labels, outputs)
    if given != last:
        labels = _viewed(labels)[..., 0]
    return KnownBatch("segmentation", labels, np.moveaxis(_viewed(outputs), -1, 1))


def class_labels(labels: Labels | None, output: Labels | None) -> Ints | None:
    """The class numbers of a batch, shape (n,), if its network is a classifier, or None.

    The labels of a classifier are whole numbers of shape (n,) or (n, 1), its output real numbers of shape
    (n, c) with c of 2 or more.
    """
    if labels is None or output is None:
        return None
    shape, label_shape = shape_of(output), shape_of(labels)
    if len(shape) != 2 or shape[1] < 2 or label_shape not in ([shape[0]], [shape[0], 1]):
        return None
    if "float" not in dtype_of(output):
        return None
    ids = _array(labels)
    return ids.reshape(-1).astype(np.int64) if ids.dtype.kind in "iu" else None


def binary_labels(labels: Labels, output: Labels, *, signs: bool = False) -> Bools | None:
    """The labels of a batch as bools if they are 0 and 1 in the shape of the output (n,) or (n, c).

    Of a single class, (n,) and (n, 1) fit each other. With ``signs`` labels may be -1 and 1, too.
    """
    shape = shape_of(output)
    single = [[shape[0]], [shape[0], 1]] if shape and shape[1:] in ([], [1]) else [shape]
    if len(shape) not in (1, 2) or shape_of(labels) not in single or "float" not in dtype_of(output):
        return None
    array = _array(labels)
    if signs and np.isin(array, (-1, 1)).all():
        array = array == 1
    return (array == 1).reshape(shape) if ((array == 0) | (array == 1)).all() else None


def _array(labels: Labels) -> AnyArray:
    return to_array(cast("ArrayLike", labels))


def _viewed(outputs: Labels) -> AnyArray:
    view = to_view(cast("ArrayLike", outputs))
    return _array(outputs) if view is None else view


def _fit(labels: Labels, outputs: Labels) -> bool:
    given, found = shape_of(labels), shape_of(outputs)
    small, large = sorted((given, found), key=len)
    return 0 < len(small) < 5 and (large in (small, [*small, 1]))


def _counted(labels: Labels, facts: LossFacts) -> Bools | None:
    """Where labels count; None if all do."""
    counted = _array(labels) != facts.ignore_index
    return None if facts.ignore_index is None or counted.all() else counted


def _are_values(labels: Labels, facts: LossFacts) -> bool:
    """True of numbers that are not those of classes: neither 0 and 1 alone nor shares of classes."""
    values, counted = _array(labels), _counted(labels, facts)
    if counted is not None:
        values = values[counted]
    return not ((values == 0) | (values == 1)).all() and not _are_shares(values)


def _are_shares(labels: AnyArray) -> bool:
    """True if labels (n, c) are shares of c classes."""
    if labels.ndim != 2 or labels.shape[1] < 2:
        return False
    return bool((labels >= 0).all() and (np.abs(labels.sum(axis=1) - 1) <= _SUM).all())
