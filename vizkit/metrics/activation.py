"""Probabilities from logits."""

from __future__ import annotations

import numpy as np

from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray

__all__ = ["activate", "are_distributions"]


def activate(scores: AnyArray, activation: str | None) -> AnyArray:
    """Apply a sigmoid or a softmax in float64; without one, return the scores as they are.

    In float32 all logits above 17 would have a probability of 1, and so be tied.

    Args:
        scores: any shape for "sigmoid", (n, c) for "softmax"; no NaN.
        activation: "sigmoid", "softmax" over axis 1, or None.

    Raises:
        DataError: rows without a softmax.
    """
    if activation is None:
        return scores
    scores = scores.astype(np.float64)
    if activation == "sigmoid":
        small = np.exp(-np.abs(scores))  # never overflows
        probabilities = np.where(scores >= 0, 1.0, small) / (1.0 + small)
        return np.asarray(probabilities)
    if scores.size:
        highest = scores.max(axis=1, keepdims=True)
        undefined = int(np.count_nonzero(np.isinf(highest)))
        if undefined:
            raise DataError(f"{undefined} of {len(scores)} rows have no softmax: they hold inf, or only -inf")
        scores = np.exp(scores - highest)
        scores /= scores.sum(axis=1, keepdims=True)
    return scores


def are_distributions(scores: AnyArray) -> bool:
    """Return True if each row of scores (n, c) is a probability distribution, up to float16's rounding."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=5e-3))
