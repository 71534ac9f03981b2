"""Retrieval: whether the nearest neighbours of a sample's vector are of its class.

Each sample is looked up among all others, by cosine similarity. With k neighbours:

- recall at k: the fraction of samples with one of their class among the nearest k;
- mean average precision at k: the mean of ``sum(precision at i, where i is of the class) / min(k, r)``, with
  r others of the class.

Samples without another of their class do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkit.metrics.arrays import AnyArray, Bools, Floats, Ints

__all__ = ["DEPTH", "Retrieval", "retrieve"]

DEPTH = 10
"""Neighbours that are looked at."""

_CHUNK = 1 << 23  # similarities that are held at once


@dataclass(frozen=True, eq=False)
class Retrieval:
    """Neighbours of n samples, the nearest first.

    Attributes:
        neighbours: (n, k) places of the nearest others.
        similarity: (n,) cosine similarity of the nearest one.
        hits: (n, k) True for those of the sample's class.
        precision: (n,) average precision at k; NaN where there is no other of the class.
    """

    neighbours: Ints
    similarity: Floats
    hits: Bools
    precision: Floats

    def recall(self, k: int) -> float:
        """Recall at k, up to `DEPTH`; NaN if no sample counts."""
        counted = ~np.isnan(self.precision)
        return float(self.hits[counted, :k].any(axis=1).mean()) if counted.any() else float("nan")

    @property
    def mean_precision(self) -> float:
        """Mean average precision at `DEPTH`; NaN if no sample counts."""
        counted = ~np.isnan(self.precision)
        return float(self.precision[counted].mean()) if counted.any() else float("nan")


def retrieve(vectors: AnyArray, labels: Ints) -> Retrieval:
    """Find the nearest neighbours of each sample.

    Args:
        vectors: (n, d), two or more.
        labels: (n,) class numbers.
    """
    count = len(vectors)
    depth = min(DEPTH, count - 1)
    unit = vectors.astype(np.float32)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    neighbours = np.empty((count, depth), np.int64)
    nearest = np.empty(count)
    step = max(1, _CHUNK // count)
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count))
        near = unit[rows] @ unit.T
        near[np.arange(len(rows)), rows] = -np.inf
        some = np.argpartition(-near, depth - 1, axis=1)[:, :depth]
        order = np.argsort(-np.take_along_axis(near, some, axis=1), axis=1, kind="stable")
        neighbours[rows] = np.take_along_axis(some, order, axis=1)
        nearest[rows] = near[np.arange(len(rows)), neighbours[rows, 0]]
    hits = labels[neighbours] == labels[:, None]
    _, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    others = sizes[inverse] - 1
    precision = hits.cumsum(axis=1) / np.arange(1, depth + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        average = (precision * hits).sum(axis=1) / np.minimum(others, DEPTH)
    return Retrieval(neighbours, nearest, hits, np.where(others > 0, average, np.nan))
