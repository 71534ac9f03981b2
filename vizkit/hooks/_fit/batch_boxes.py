"""The boxes in the tensors of a batch, which ``paddle.Model`` gives without names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vizkit.hooks._paddle import paddle
from vizkit.metrics.arrays import AnyArray, to_array

__all__ = ["boxes_of_batch"]


def boxes_of_batch(
    labels: Sequence[paddle.Tensor], outputs: Sequence[paddle.Tensor]
) -> tuple[list[AnyArray], list[AnyArray]] | None:
    """Split a batch into the boxes of each image.

    Args:
        labels: of each image boxes (n, m, 5) with class, left, top, right, bottom; or boxes (n, m, 4) and
            their classes (n, m) or (n, m, 1). Boxes of a class below 0, or with all sides 0, fill up.
        outputs: boxes (n, k, 6) with class, score, left, top, right, bottom, filled up with classes below 0;
            or, as PaddleDetection has them, boxes (boxes of all images, 6) and their number in each image.

    Returns:
        Arrays of shape (m, 5) and (k, 6) of each image; None if the tensors are others.
    """
    true = _labels([to_array(each) for each in labels])
    found = _outputs([to_array(each) for each in outputs])
    if true is None or found is None or len(true) != len(found):
        return None
    return [each[(each[:, 0] >= 0) & each[:, 1:].any(axis=1)] for each in true], [
        each[each[:, 0] >= 0] for each in found
    ]


def _labels(given: list[AnyArray]) -> list[AnyArray] | None:
    if given and given[0].ndim == 3 and given[0].shape[2] == 5:
        return list(given[0])
    if len(given) > 1 and given[0].ndim == 3 and given[0].shape[2] == 4:
        boxes, classes = given[:2]
        if classes.size == boxes.size // 4 and classes.shape[:2] == boxes.shape[:2]:
            return list(np.concatenate([classes.reshape(*boxes.shape[:2], 1), boxes], axis=2))
    return None


def _outputs(given: list[AnyArray]) -> list[AnyArray] | None:
    if given and given[0].ndim == 3 and given[0].shape[2] == 6:
        return list(given[0])
    if len(given) > 1 and given[0].ndim == 2 and given[0].shape[1] == 6 and given[1].dtype.kind in "iu":
        boxes, counts = given[0], given[1].reshape(-1)
        if counts.sum() == len(boxes):
            return list(np.split(boxes, np.cumsum(counts)[:-1]))
    return None
