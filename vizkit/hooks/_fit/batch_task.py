"""The task of a batch whose loss tells little: known from the shapes and types of its labels and outputs."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from vizkit._protocols import ArrayLike
from vizkit.hooks._fit.batch import binary_labels, class_labels
from vizkit.hooks._paddle import paddle
from vizkit.metrics.arrays import AnyArray, dtype_of, shape_of, to_array
from vizkit.writing.tasks.choice import known_task
from vizkit.writing.tasks.task import Labels, LossFacts, TaskName

__all__ = ["KnownBatch", "known_batch"]

_VALUES = (
    "The loss does not tell what the network is for. It was taken for a regression: labels and outputs are "
    "numbers of the same shape."
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


def known_batch(
    labels: Labels | None, outputs: Labels | None, facts: LossFacts, before: TaskName | None = None
) -> KnownBatch | None:
    """The task of a batch of tensors; None if it can be several, or none.

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
    if found is None and facts.task is None and _fit(labels, outputs) and not _are_shares(_array(labels)):
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
    return None if sides is None else KnownBatch("classification", sides, outputs)


def _of_maps(labels: Labels, outputs: Labels, facts: LossFacts, before: TaskName | None) -> KnownBatch | None:
    """The task of scores at several places: of pixels or tokens."""
    given, found = shape_of(labels), shape_of(outputs)
    if facts.task == "classes" and len(found) == 4 and given == found and found[1] == 1:
        sides = _array(labels)
        if ((sides == 0) | (sides == 1)).all():
            return KnownBatch("segmentation", sides.astype(np.int64), outputs)
    if facts.task is not None or "int" not in dtype_of(labels) or len(found) not in (3, 4):
        return None
    first, last = [found[0], *found[2:]], found[:-1]
    if given not in (last, [*last, 1]) or (first == last and before != "labelling"):
        return None  # or the classes are on axis 1
    if len(found) == 3:
        return KnownBatch("labelling", labels, outputs)
    with paddle.no_grad():
        return KnownBatch("segmentation", labels, outputs.transpose([0, 3, 1, 2]))  # type: ignore[union-attr]


def _array(labels: Labels) -> AnyArray:
    return to_array(cast("ArrayLike", labels))


def _fit(labels: Labels, outputs: Labels) -> bool:
    given, found = shape_of(labels), shape_of(outputs)
    small, large = sorted((given, found), key=len)
    return 0 < len(small) < 5 and (large in (small, [*small, 1]))


def _are_shares(labels: AnyArray) -> bool:
    """True if labels (n, c) are shares of c classes."""
    if labels.ndim != 2 or labels.shape[1] < 2:
        return False
    return bool((labels >= 0).all() and (np.abs(labels.sum(axis=1) - 1) <= _SUM).all())
