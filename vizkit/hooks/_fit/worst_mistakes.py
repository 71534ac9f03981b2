"""The samples of an evaluation that the network is most wrong about."""

from __future__ import annotations

import heapq

import numpy as np

from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.eval_scores import class_labels
from vizkit.hooks._fit.samples import Sample, looks_like_images, probabilities_of, samples_of
from vizkit.metrics.arrays import to_array

__all__ = ["WorstMistakes"]


class WorstMistakes:
    """Keeps of all batches the samples whose wrong prediction has the highest loss.

    The loss is the cross entropy, ``-log p(label)``; NaN counts as the worst. Of equal ones the earlier
    stay. No more than ``count`` images are held.

    Args:
        count: how many samples.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._heap: list[tuple[float, int, Sample]] = []
        self._seen = 0

    def add(self, batch: Batch) -> None:
        """Looks through a batch.

        Raises:
            DataError: it holds no images, or is not of a classifier.
        """
        ids = class_labels(batch.labels[0] if batch.labels else None, batch.output)
        if ids is None or not looks_like_images(batch):
            raise DataError(
                "mistakes are those of a classifier of images: inputs of shape [n, c, h, w] or [n, h, w, c], "
                "labels of whole numbers, scores of shape [n, classes]"
            )
        scores = to_array(batch.output)
        shares = probabilities_of(scores)
        rows = np.flatnonzero(shares.argmax(axis=1) != ids)
        inside = np.clip(ids[rows], 0, shares.shape[1] - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            losses = np.where(inside == ids[rows], -np.log(shares[rows, inside]), np.inf)
        losses = np.where(np.isnan(losses), np.inf, losses)
        for place in np.argsort(-losses, kind="stable")[: self._count]:
            loss, row = float(losses[place]), int(rows[place])
            if len(self._heap) == self._count and loss <= self._heap[0][0]:
                break
            entry = (loss, -(self._seen + row), samples_of(batch, [row])[0])
            (heapq.heappush if len(self._heap) < self._count else heapq.heapreplace)(self._heap, entry)
        self._seen += len(ids)

    def worst(self) -> list[Sample]:
        """The samples, the worst first."""
        return [sample for _, _, sample in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
