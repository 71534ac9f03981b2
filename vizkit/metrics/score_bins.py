"""Counts of probabilities in bins: curves of any number of samples in constant memory.

Bins are narrow towards 0 and 1, where confident networks put their scores: each octave of p below
one half, and of 1 - p above it, is cut into an equal number of them. What is counted does not
depend on the order of the samples, and counts add up.

The points of a curve are drawn at edges of bins, and are exact there. AP and AUC depend on the
order within bins, which is not known:

- AUC takes scores of one bin for tied. With p positives and n negatives in a bin, it is off by at
  most the sum of p * n / 2 over the bins, divided by all positives * all negatives.
- AP takes the positives of a bin for evenly spread among its negatives. Its bounds are those of the
  worst order (each negative of a bin first) and of the best (its positives first, all tied).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit.metrics.pr_roc import PRCurve, ROCCurve

__all__ = ["BinnedCurves", "ScoreBins"]

_Floats = NDArray[np.float64]

_OCTAVES = 48  # to 2**-49, on either side; what is nearer to 0 or 1 shares a bin
_MOST_BYTES = 1 << 26
_FINEST = 10  # 1024 bins to an octave: 0.1 % of p
_CHUNK = 1 << 20  # scores that are binned at once


@dataclass(frozen=True, eq=False)
class BinnedCurves:
    """The curves of one class, and how far their areas may be off.

    Attributes:
        pr: its ``ap`` is an estimate.
        roc: its ``auc`` is an estimate.
        errors: the most that the exact AP, and the exact AUC, can differ from them.
    """

    pr: PRCurve
    roc: ROCCurve
    errors: tuple[float, float]


class ScoreBins:
    """How many probabilities of each class lie in each bin, and how many of those are positives.

    Args:
        classes: how many.
        bits: 2**bits bins to an octave; by default as many as fit 64 MiB, 1024 at most.
    """

    def __init__(self, classes: int, bits: int | None = None) -> None:
        if bits is None:
            fitting = _MOST_BYTES // (2 * 8 * 2 * _OCTAVES * classes)
            bits = min(max(fitting.bit_length() - 1, 0), _FINEST)
        self._bits = bits
        self._half = _OCTAVES << bits  # bins below one half, but for the first
        self._size = 2 * self._half + 3  # the middle one holds one half alone
        self._all = np.zeros((classes, self._size), np.int64)
        self._positive = np.zeros((classes, self._size), np.int64)

    @property
    def size(self) -> int:
        """Bins of each class."""
        return self._size

    @property
    def nbytes(self) -> int:
        """Bytes of the counts."""
        return self._all.nbytes + self._positive.nbytes

    def add(self, probabilities: NDArray[Any], members: NDArray[Any]) -> None:
        """Counts samples.

        Args:
            probabilities: shape (n, c), in [0, 1].
            members: class ids of shape (n,), or bools of shape (n, c).
        """
        classes = len(self._all)
        first = np.arange(classes) * self._size
        rows = max(1, _CHUNK // classes)
        for start in range(0, len(probabilities), rows):
            cells = self._bins_of(probabilities[start : start + rows]) + first
            some = members[start : start + rows]
            positive = cells[some] if some.ndim == 2 else cells[np.arange(len(cells)), some]
            for table, hits in ((self._all, cells.ravel()), (self._positive, positive)):
                table += np.bincount(hits, minlength=table.size).reshape(table.shape)

    def _bins_of(self, probabilities: NDArray[Any]) -> NDArray[np.intp]:
        scores = probabilities.astype(np.float64)
        upper = scores >= 0.5
        ends = np.where(upper, 1.0 - scores, scores)  # exact: no digit of 1 - p is lost from one half on
        # The bits of floats of no sign are ordered as they are, and even within an octave.
        steps = (ends.view(np.int64) >> (52 - self._bits)) - self._first_step
        np.maximum(steps, 0, out=steps)
        np.subtract(self._size - 1, steps, out=steps, where=upper)
        return steps.astype(np.intp, copy=False)

    @property
    def _first_step(self) -> int:
        """What the bits of 2**-49 are taken for, less one."""
        return ((1023 - _OCTAVES - 1) << self._bits) - 1

    def _edges(self) -> _Floats:
        """The least number of each bin, ascending."""
        steps = np.arange(1, self._half + 2, dtype=np.int64) + self._first_step
        lows = (steps << (52 - self._bits)).view(np.float64)  # the last is one half
        # A bin of 1 - p in [a, b) holds the p above 1 - b.
        highs = np.nextafter(1.0 - lows[::-1], 2.0)
        return np.concatenate(([0.0], lows, highs))

    def curves(self, num_thresholds: int) -> list[BinnedCurves]:
        """The curves of each class, drawn at the edges that are nearest to an even grid over [0, 1]."""
        edges = self._edges()
        grid = np.arange(num_thresholds) / (num_thresholds - 1)
        points = np.searchsorted((edges[1:] + edges[:-1]) / 2, grid)
        return [
            _curves(every.astype(np.float64), positive.astype(np.float64), edges, points)
            for every, positive in zip(self._all, self._positive, strict=True)
        ]

    def pooled(self) -> ScoreBins:
        """All classes as one, each score a sample of its own."""
        pooled = ScoreBins(1, self._bits)
        pooled._all += self._all.sum(axis=0)
        pooled._positive += self._positive.sum(axis=0)
        return pooled


def _curves(every: _Floats, p: _Floats, edges: _Floats, points: NDArray[np.intp]) -> BinnedCurves:
    n = every - p
    tps, fps = p[::-1].cumsum()[::-1], n[::-1].cumsum()[::-1]  # at or above each edge
    positives, negatives = float(tps[0]), float(fps[0])
    tp, fp, thresholds = tps[points], fps[points], edges[points]
    predicted = tp + fp
    precision = np.divide(tp, predicted, out=np.ones_like(tp), where=predicted > 0)
    tpr = tp / positives if positives else np.zeros_like(tp)
    fpr = fp / negatives if negatives else np.zeros_like(fp)
    recall = tpr if positives else (predicted > 0).astype(np.float64)

    held = p > 0
    ap, ap_error = _average_precision(p[held], n[held], tps[held] - p[held], fps[held] - n[held])
    if not positives + negatives:
        ap = float("nan")
    auc, auc_error = float("nan"), 0.0
    if positives and negatives:
        auc = float((n / negatives).dot(tps - p / 2)) / positives
        auc_error = float((n / negatives).dot(p / positives)) / 2
    fn, tn = positives - tp, negatives - fp
    return BinnedCurves(
        PRCurve(thresholds, tp, fp, tn, fn, precision, recall, ap),
        ROCCurve(thresholds, tp, fp, tn, fn, tpr, fpr, auc),
        (ap_error, auc_error),
    )


def _average_precision(p: _Floats, n: _Floats, tp: _Floats, fp: _Floats) -> tuple[float, float]:
    """The AP, and the most that it may be off.

    Args:
        p: positives of each bin that has any.
        n: its negatives.
        tp: positives above it.
        fp: negatives above it.
    """
    if not p.size:
        return 0.0, 0.0
    # The i-th positive of a bin has a precision of (tp + i) / (tp + i + fp + its negatives so far).
    # Summed over i that is p - f * (log of a ratio) by an integral: from 0 to p below the sum, since
    # what is summed grows with i.
    f = fp + n
    worst = np.where(p == 1, (tp + 1) / (tp + 1 + f), p - f * _log_ratio(tp + f, p))
    worst = np.maximum(worst, p * (tp + 1) / (tp + 1 + f))
    best = p * (tp + p) / (tp + p + fp)
    # Evenly spread, the i-th positive comes after i * n / (p + 1) negatives; the integral goes over
    # i - 1/2 to i + 1/2.
    slope = 1 + n / (p + 1)
    start, below = tp + 0.5, tp + fp + 0.5 * slope
    spread = p / slope + (start - below / slope) / slope * _log_ratio(below / slope, p)
    spread = np.clip(spread, worst, best)
    total = float((tp + p).max())
    error = max(float((best - spread).sum()), float((spread - worst).sum()))
    return float(spread.sum()) / total, error / total


def _log_ratio(start: _Floats, length: _Floats) -> _Floats:
    """log((start + length) / start); 0 where start is 0, as what it is multiplied with is 0 there."""
    return np.log1p(np.divide(length, start, out=np.zeros_like(start), where=start > 0))
