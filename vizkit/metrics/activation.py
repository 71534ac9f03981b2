"""Probabilities from logits, and whether scores are the one or the other."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray

__all__ = ["Activation", "ScoreEvidence", "activate", "are_distributions"]

Activation = Literal["softmax", "sigmoid", "auto"]

_ENOUGH_ROWS = 20
_EXACT = 1e-5  # of the sum of float32 probabilities
_ROUNDED = 5e-3  # of the sum of float16 probabilities


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
            raise DataError(
                "{undefined} of {n} rows have no softmax: they hold inf, or only -inf",
                undefined=undefined,
                n=len(scores),
            )
        scores = np.exp(scores - highest)
        scores /= scores.sum(axis=1, keepdims=True)
    return scores


def are_distributions(scores: AnyArray) -> bool:
    """Return True if the rows of scores (n, c) are certainly distributions; see `ScoreEvidence`."""
    evidence = ScoreEvidence()
    evidence.add(scores)
    return evidence.activation is None


class ScoreEvidence:
    """Distinguish probabilities from logits by the scores of a whole evaluation, where its loss does not.

    Scores that cannot be probabilities are logits. A few rows of logits may look like probabilities: fewer
    than 20 rows are believed only if they sum to 1 up to the rounding of float32, more up to that of float16.
    The scores of several labels a sample need not sum to 1, and fewer than 20 are never believed.

    Args:
        sums_to_one: whether the probabilities of a row sum to 1.
    """

    def __init__(self, *, sums_to_one: bool = True) -> None:
        self._sums_to_one = sums_to_one
        self._count = 0
        self._off = 0.0

    def add(self, scores: AnyArray) -> None:
        """Add scores of shape (n, c)."""
        if not scores.size:
            return
        self._count += len(scores) if self._sums_to_one else scores.size
        with np.errstate(invalid="ignore", over="ignore"):
            inside = bool((scores >= 0).all()) and (self._sums_to_one or bool((scores <= 1).all()))
            off = np.inf
            if inside:
                off = float(np.abs(scores.sum(axis=1) - 1.0).max()) if self._sums_to_one else 0.0
        self._off = max(self._off, off) if off == off else np.inf

    @property
    def activation(self) -> Activation | None:
        """The function that makes probabilities: None if scores are some, "auto" if that is not known."""
        if not self._count:
            return "auto"
        if not self._off <= _ROUNDED:
            return "softmax" if self._sums_to_one else "sigmoid"
        exact = self._sums_to_one and self._off <= _EXACT
        return None if exact or self._count >= _ENOUGH_ROWS else "auto"
