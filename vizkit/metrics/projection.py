"""Projection of embeddings onto a plane."""

from __future__ import annotations

import numpy as np

from vizkit.metrics.arrays import AnyArray, Floats
from vizkit.metrics.downsampling import evenly

__all__ = ["projected"]

_MOST = 1000  # vectors that the axes are computed from


def projected(vectors: AnyArray) -> Floats:
    """The first two principal components of the directions of vectors.

    Vectors are scaled to length 1, as cosine similarity compares them. The axes are those of at most 1,000
    vectors at even distances, each with its largest loading positive, so that they are the same every time.

    Args:
        vectors: (n, d) finite numbers.

    Returns:
        (n, 2); zeros where there is no second component.
    """
    rows = np.asarray(vectors, np.float64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    some = rows[evenly(np.arange(len(rows)), _MOST)]
    centre = some.mean(axis=0)
    axes = np.linalg.svd(some - centre, full_matrices=False)[2][:2]
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.sign(axes[np.arange(len(axes)), largest])[:, None]
    found = np.zeros((len(rows), 2))
    found[:, : len(axes)] = (rows - centre) @ axes.T
    return found
