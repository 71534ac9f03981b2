"""Smoothing of curves by an exponential moving average."""

from __future__ import annotations

import numpy as np

from vizkit.metrics.arrays import Floats

__all__ = ["smoothed"]


def smoothed(values: Floats, weight: float) -> Floats:
    """The bias-corrected exponential moving average, as in TensorBoard.

    ``s_k = w s_(k-1) + (1 - w) y_k`` from ``s_0 = 0``, divided by ``1 - w^k`` (Kingma and Ba, ICLR 2015,
    section 3); w is at least 0 and below 1. NaN and infinite values are kept and do not count.
    """
    if not weight:
        return values
    out = values.copy()
    finite = np.flatnonzero(np.isfinite(values))
    average, share, results = 0.0, 0.0, []
    for value in values[finite].tolist():
        average = weight * average + (1 - weight) * value
        share = weight * share + (1 - weight)
        results.append(average / share)
    out[finite] = results
    return out
