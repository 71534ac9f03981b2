"""Probabilities of logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError

__all__ = ["activated", "are_distributions", "check_activation"]


def check_activation(activation: Any, allowed: tuple[str, ...]) -> None:
    """Raises a `DataError` for what is neither None nor one of ``allowed``."""
    if activation is not None and activation not in allowed:
        raise DataError(f"activation must be None or one of {', '.join(allowed)}, got {describe(activation)}")


def activated(scores: NDArray[Any], activation: str | None) -> NDArray[Any]:
    """Scores as they are without ``activation``, else their probabilities as float64.

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


def are_distributions(scores: NDArray[Any]) -> bool:
    """Whether each row of scores (n, c) is a distribution, up to the rounding of half precision."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=5e-3))
