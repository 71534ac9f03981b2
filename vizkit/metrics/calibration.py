"""Calibration of probabilities: reliability diagrams and the expected calibration error (ECE)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkit._checks import describe
from vizkit._language import mark
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Bools, Floats, Ints, to_array

__all__ = ["BINS", "POSITIVE_CLASS", "Reliability", "compute_reliability", "reliability_sums"]

BINS = 15
"""Bins of equal width over [0, 1], as in Guo et al."""

_EDGES = np.linspace(0, 1, BINS + 1)
_COLUMNS = ("from", "to", "samples")
_TOP_CLASS = (mark("confidence"), mark("accuracy"))
POSITIVE_CLASS = (mark("probability"), mark("share of positives"))
"""Axes of a reliability diagram of the positive class."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Mean probability and accuracy of predictions, in `BINS` bins of equal width.

    Bin m holds the probabilities in ((m - 1) / M, m / M], the first also 0 (Guo et al., On
    calibration of modern neural networks, ICML 2017). They are those of the predicted class, and
    accuracy is the fraction of right predictions; or those of the positive class (binary,
    multi-label), and accuracy is the fraction of positives, as in
    ``sklearn.calibration.calibration_curve``.

    Attributes:
        counts: predictions in each bin, int64 of shape (BINS,).
        confidence: their mean probability, float64 of shape (BINS,); NaN in an empty bin.
        accuracy: the fraction that is right or positive, float64 of shape (BINS,); NaN in an empty bin.
        axes: labels of the axes of confidence and accuracy.
    """

    counts: Ints
    confidence: Floats
    accuracy: Floats
    axes: tuple[str, str] = _TOP_CLASS

    @classmethod
    def of(cls, sums: Floats, axes: tuple[str, str] = _TOP_CLASS) -> Reliability:
        """Build from sums of `reliability_sums`, which add up over batches."""
        held = np.where(sums[0] > 0, sums[0], np.nan)
        return cls(sums[0].astype(np.int64), sums[1] / held, sums[2] / held, axes)

    @property
    def ece(self) -> float:
        """The expected calibration error (Guo et al. 2017); NaN without predictions.

        It is the mean of ``|accuracy - confidence|`` over the bins, weighted by their counts.
        """
        total = self.counts.sum()
        gaps = np.abs(self.accuracy - self.confidence)[self.counts > 0]
        return float(gaps.dot(self.counts[self.counts > 0]) / total) if total else float("nan")

    def as_text(self) -> str:
        """Write the exact numbers as a table of tab-separated columns."""
        lines = ["\t".join([*_COLUMNS, *self.axes])]
        rows = zip(_EDGES[:-1], _EDGES[1:], self.counts, self.confidence, self.accuracy, strict=True)
        lines += [
            f"{low:.4g}\t{high:.4g}\t{count}\t{float(confidence)!r}\t{float(accuracy)!r}"
            for low, high, count, confidence, accuracy in rows
        ]
        return "\n".join(lines)

    @classmethod
    def from_text(cls, text: str) -> Reliability:
        """Read the text that `as_text` wrote.

        Raises:
            DataError: another text.
        """
        try:
            head, *rows = (line.split("\t") for line in text.splitlines())
            counts, confidence, accuracy = zip(*(row[2:] for row in rows), strict=True)
            if len(rows) != BINS or tuple(head[:3]) != _COLUMNS or len(head) != 5:
                raise ValueError
            return cls(
                np.array(counts, np.int64),
                np.array(confidence, np.float64),
                np.array(accuracy, np.float64),
                (head[3], head[4]),
            )
        except ValueError:
            raise DataError("not the numbers of a reliability diagram: {text}", text=describe(text)) from None


def compute_reliability(labels: ArrayLike, probabilities: ArrayLike) -> Reliability:
    """Compute the reliability diagram and the ECE of probabilities (Guo et al. 2017).

    Args:
        labels: class ids of shape (n,), or 0 and 1 for a single class.
        probabilities: shape (n, c), of which the highest is the prediction; or (n,) or (n, 1), those
            of the positive class.

    Raises:
        DataError: other shapes, or numbers outside [0, 1].
    """
    scores, truth = to_array(probabilities).astype(np.float64), to_array(labels).reshape(-1)
    if scores.ndim not in (1, 2) or len(scores) != len(truth):
        raise DataError(
            "{n} labels need probabilities of shape [{n}] or [{n}, c], got {scores}",
            n=len(truth),
            scores=describe(scores),
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        raise DataError("probabilities must lie in [0, 1]; apply softmax or sigmoid to logits first")
    if scores.ndim == 2 and scores.shape[1] > 1:
        return Reliability.of(reliability_sums(scores.max(axis=1), scores.argmax(axis=1) == truth))
    return Reliability.of(reliability_sums(scores.reshape(-1), truth == 1), POSITIVE_CLASS)


def reliability_sums(probabilities: AnyArray, correct: Bools) -> Floats:
    """Sum up predictions, their probabilities and the correct ones in each bin: shape (3, BINS).

    Args:
        probabilities: shape (n,), in [0, 1].
        correct: shape (n,); for a positive class, True for positives.
    """
    bins = np.searchsorted(_EDGES[1:-1], probabilities)  # the bin of an edge is the one below it
    return np.stack(
        [
            np.bincount(bins, minlength=BINS).astype(np.float64),
            np.bincount(bins, weights=probabilities, minlength=BINS),
            np.bincount(bins[correct], minlength=BINS).astype(np.float64),
        ]
    )
