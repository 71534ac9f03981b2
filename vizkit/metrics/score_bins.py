"""PR and ROC curves of any number of samples in constant memory, from counts of scores in bins.

Bins are narrow near 0 and 1, where confident networks put their scores: each octave of p below
one half, and of 1 - p above it, is cut into an equal number of bins. Counts add up over batches and
do not depend on the order of the samples.

The points of a curve lie at edges of bins, and are exact. AP and AUC depend on the unknown order
within bins:

- AUC takes the scores of a bin as tied. With p positives and n negatives in each bin, its error is at
  most the sum of p * n / 2 over the bins, divided by all positives * all negatives.
- AP takes the positives of a bin as evenly spread among its negatives. Its bounds are those of the
  worst order (each negative of a bin first) and of the best (its positives first, all tied).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkit.metrics.arrays import AnyArray, Floats, Indices
from vizkit.metrics.pr_roc import PRCurve, ROCCurve, curves_of
from vizkit.metrics.ranking import Tally

__all__ = ["BinnedCurves", "ScoreBins"]

_OCTAVES = 48  # to 2**-49, on either side; scores nearer to 0 or 1 share a bin
_MAX_BYTES = 1 << 26
_MAX_BITS = 10  # 1024 bins an octave: 0.1 % of p
_CHUNK = 1 << 20  # scores binned at once


@dataclass(frozen=True, eq=False)
class BinnedCurves:
    """The curves of one class, with bounds on the errors of their areas.

    Attributes:
        pr: its ``ap`` is an estimate.
        roc: its ``auc`` is an estimate.
        errors: the largest possible errors of AP and AUC.
    """

    pr: PRCurve
    roc: ROCCurve
    errors: tuple[float, float]


class ScoreBins:
    """Counts of all samples and of positives, for each class and bin of probabilities.

    Args:
        classes: number of classes.
        bits: 2**bits bins an octave; by default as many as fit 64 MiB, 1024 at most.
    """

    def __init__(self, classes: int, bits: int | None = None) -> None:
        if bits is None:
            fitting = _MAX_BYTES // (2 * 8 * 2 * _OCTAVES * classes)
            bits = min(max(fitting.bit_length() - 1, 0), _MAX_BITS)
        self._bits = bits
        self._half = _OCTAVES << bits  # bins below one half, without the first
        self._size = 2 * self._half + 3  # the middle one holds only one half
        self._all = np.zeros((classes, self._size), np.int64)
        self._positive = np.zeros((classes, self._size), np.int64)

    @property
    def size(self) -> int:
        """Number of bins a class."""
        return self._size

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the counts."""
        return self._all.nbytes + self._positive.nbytes

    def add(self, probabilities: AnyArray, members: AnyArray) -> None:
        """Count a batch of samples.

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

    def _bins_of(self, probabilities: AnyArray) -> Indices:
        scores = probabilities.astype(np.float64)
        upper = scores >= 0.5
        ends = np.where(upper, 1.0 - scores, scores)  # 1 - p is exact from one half on
        # Nonnegative floats are ordered as their bits, and evenly spaced within an octave.
        steps = (ends.view(np.int64) >> (52 - self._bits)) - self._first_step
        np.maximum(steps, 0, out=steps)
        np.subtract(self._size - 1, steps, out=steps, where=upper)
        return steps.astype(np.intp, copy=False)

    @property
    def _first_step(self) -> int:
        """The step of 2**-49, less one."""
        return ((1023 - _OCTAVES - 1) << self._bits) - 1

    def _edges(self) -> Floats:
        """The lower edge of each bin, ascending."""
        steps = np.arange(1, self._half + 2, dtype=np.int64) + self._first_step
        lows = (steps << (52 - self._bits)).view(np.float64)  # the last is one half
        # A bin of 1 - p in [a, b) holds the p above 1 - b.
        highs = np.nextafter(1.0 - lows[::-1], 2.0)
        return np.concatenate(([0.0], lows, highs))

    def curves(self, num_thresholds: int) -> list[BinnedCurves]:
        """Compute the curves of each class at the edges nearest to an even grid over [0, 1]."""
        edges = self._edges()
        grid = np.arange(num_thresholds) / (num_thresholds - 1)
        points = np.searchsorted((edges[1:] + edges[:-1]) / 2, grid)
        return [
            _curves(every.astype(np.float64), positive.astype(np.float64), edges, points)
            for every, positive in zip(self._all, self._positive, strict=True)
        ]

    def pooled(self) -> ScoreBins:
        """Add up all classes to one, of which each score is a sample (scikit-learn's ``average="micro"``)."""
        pooled = ScoreBins(1, self._bits)
        pooled._all += self._all.sum(axis=0)
        pooled._positive += self._positive.sum(axis=0)
        return pooled


def _curves(every: Floats, p: Floats, edges: Floats, points: Indices) -> BinnedCurves:
    n = every - p
    tps, fps = p[::-1].cumsum()[::-1], n[::-1].cumsum()[::-1]  # at or above each edge
    positives, negatives = float(tps[0]), float(fps[0])
    held = p > 0
    ap, ap_error = _average_precision(p[held], n[held], tps[held] - p[held], fps[held] - n[held])
    auc, auc_error = float("nan"), 0.0
    if positives and negatives:
        auc = float((n / negatives).dot(tps - p / 2)) / positives
        auc_error = float((n / negatives).dot(p / positives)) / 2
    counts = (np.array([each]) for each in (tps[points], fps[points], [positives], [negatives], ap, auc))
    ((pr, roc),) = curves_of(edges[None, points], Tally(*counts))
    return BinnedCurves(pr, roc, (ap_error, auc_error))


def _average_precision(p: Floats, n: Floats, tp: Floats, fp: Floats) -> tuple[float, float]:
    """Return AP and its largest possible error.

    Args:
        p: positives in each bin that has any.
        n: negatives in it.
        tp: positives above it.
        fp: negatives above it.
    """
    if not p.size:
        return 0.0, 0.0
    # The i-th positive of a bin has the precision (tp + i) / (tp + i + fp + its negatives so far).
    # As it grows with i, its sum over i is at least its integral from 0 to p: p - f * log(ratio).
    f = fp + n
    worst = np.where(p == 1, (tp + 1) / (tp + 1 + f), p - f * _log_ratio(tp + f, p))
    worst = np.maximum(worst, p * (tp + 1) / (tp + 1 + f))
    best = p * (tp + p) / (tp + p + fp)
    # Evenly spread, the i-th positive comes after i * n / (p + 1) negatives; it is integrated from
    # i - 1/2 to i + 1/2.
    slope = 1 + n / (p + 1)
    start, below = tp + 0.5, tp + fp + 0.5 * slope
    spread = p / slope + (start - below / slope) / slope * _log_ratio(below / slope, p)
    spread = np.clip(spread, worst, best)
    total = float((tp + p).max())
    error = max(float((best - spread).sum()), float((spread - worst).sum()))
    return float(spread.sum()) / total, error / total


def _log_ratio(start: Floats, length: Floats) -> Floats:
    """log((start + length) / start); 0 where start is 0, since its factor is 0 there."""
    return np.log1p(np.divide(length, start, out=np.zeros_like(start), where=start > 0))
