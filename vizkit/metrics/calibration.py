"""Whether probabilities mean what they say: reliability and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError

__all__ = ["BINS", "Reliability", "reliability_sums"]

BINS = 15
"""Bins of equal width over [0, 1], as in Guo et al."""

_EDGES = np.linspace(0, 1, BINS + 1)
_COLUMNS = ("from", "to", "samples")
_TOP_CLASS = ("confidence", "accuracy")


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often predictions of a probability come true, in `BINS` bins.

    Bin m holds the probabilities in ((m - 1) / M, m / M], the first also 0 (Guo et al., On
    calibration of modern neural networks, ICML 2017). They are those of the predicted class, and
    come true where it is the right one; or those of the positive class (binary, multi-label), and
    come true where it is given, as in ``sklearn.calibration.calibration_curve``.

    Attributes:
        counts: predictions in each bin, int64 of shape (BINS,).
        confidence: their mean probability, float64 of shape (BINS,); NaN in an empty bin.
        accuracy: the share that came true, float64 of shape (BINS,); NaN in an empty bin.
        axes: what confidence and accuracy are called.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    axes: tuple[str, str] = _TOP_CLASS

    @classmethod
    def of(cls, sums: NDArray[np.float64], axes: tuple[str, str] = _TOP_CLASS) -> Reliability:
        """From what `reliability_sums` gave, added up over batches."""
        held = np.where(sums[0] > 0, sums[0], np.nan)
        return cls(sums[0].astype(np.int64), sums[1] / held, sums[2] / held, axes)

    @property
    def ece(self) -> float:
        """The expected calibration error: the mean of ``|accuracy - confidence|`` over all predictions.

        NaN without predictions.
        """
        total = self.counts.sum()
        gaps = np.abs(self.accuracy - self.confidence)[self.counts > 0]
        return float(gaps.dot(self.counts[self.counts > 0]) / total) if total else float("nan")

    def as_text(self) -> str:
        """The numbers as a table of tab-separated columns, exactly."""
        lines = ["\t".join([*_COLUMNS, *self.axes])]
        rows = zip(_EDGES[:-1], _EDGES[1:], self.counts, self.confidence, self.accuracy, strict=True)
        lines += [
            f"{low:.4g}\t{high:.4g}\t{count}\t{float(confidence)!r}\t{float(accuracy)!r}"
            for low, high, count, confidence, accuracy in rows
        ]
        return "\n".join(lines)

    @classmethod
    def from_text(cls, text: str) -> Reliability:
        """From what `as_text` gave.

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
            raise DataError(f"not the numbers of a reliability diagram: {describe(text)}") from None


def reliability_sums(probabilities: NDArray[Any], came_true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Predictions, their probabilities and those that came true, summed in each bin: shape (3, BINS).

    Args:
        probabilities: shape (n,), in [0, 1].
        came_true: shape (n,).
    """
    bins = np.searchsorted(_EDGES[1:-1], probabilities)  # the bin of an edge is the one below it
    return np.stack(
        [
            np.bincount(bins, minlength=BINS).astype(np.float64),
            np.bincount(bins, weights=probabilities, minlength=BINS),
            np.bincount(bins[came_true], minlength=BINS).astype(np.float64),
        ]
    )
