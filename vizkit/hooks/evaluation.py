"""What is gathered over an evaluation, batch by batch: the mean loss, and labels with scores."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizkit.measures.arrays import to_array, to_float

__all__ = ["MOST_CLASSES", "MOST_NUMBERS", "LabelledScores", "MeanLoss", "Scores", "class_labels"]

MOST_NUMBERS = 50_000_000
"""How many scores (200 MB) one evaluation may hold."""

MOST_CLASSES = 100
"""For how many classes curves are recorded without being asked for by name."""


class MeanLoss:
    """The mean of each loss over all samples; Paddle's own log has the last batch's only."""

    def __init__(self) -> None:
        self._sums: list[float] = []
        self._count = 0

    def add(self, losses: Any, batch_size: int) -> None:
        """Adds a batch's mean losses: a number, or a list of them."""
        values = [to_float(loss) for loss in (losses if isinstance(losses, (list, tuple)) else [losses])]
        self._sums = self._sums or [0.0] * len(values)
        self._sums = [total + value * batch_size for total, value in zip(self._sums, values, strict=True)]
        self._count += batch_size

    def means(self) -> list[float]:
        """The mean of each loss; none before the first batch."""
        return [total / self._count for total in self._sums] if self._count else []


class Scores(NamedTuple):
    """The scores of a whole evaluation.

    Attributes:
        labels: int64, shape (n,).
        scores: float32, shape (n, c).
        activation: what makes probabilities of the scores; None if they are already.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    activation: Literal["softmax"] | None


class LabelledScores:
    """Class labels and scores of an evaluation, gathered on the host.

    Attributes:
        reason: why it holds nothing although the network is a classifier; empty otherwise.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._open = True
        self._labels: list[NDArray[np.int64]] = []
        self._scores: list[NDArray[np.float32]] = []
        self._numbers = 0

    @property
    def wanted(self) -> bool:
        """Whether further batches are of use."""
        return self._open

    def add(self, labels: Any, output: Any) -> None:
        """Adds a batch; gives up at the first that is not a classifier's."""
        ids = class_labels(labels, output)
        if ids is None:
            self._give_up()
            return
        self._numbers += int(np.prod(output.shape))
        if self._numbers > MOST_NUMBERS:
            self._give_up(f"more than {MOST_NUMBERS:,} scores in one evaluation; evaluate on fewer samples")
        elif output.shape[1] > MOST_CLASSES:
            self._give_up(
                f"the network tells {output.shape[1]} classes apart, more than {MOST_CLASSES}; "
                "record those that matter with tracker.log_curves"
            )
        else:
            self._labels.append(ids)
            self._scores.append(to_array(output, copy=True).astype(np.float32, copy=False))

    def _give_up(self, reason: str = "") -> None:
        self._open = False
        self.reason = reason
        self._labels, self._scores = [], []

    def result(self) -> Scores | None:
        """All batches as one; None if there were none."""
        if not self._labels:
            return None
        scores = np.concatenate(self._scores)
        return Scores(np.concatenate(self._labels), scores, None if _are_probabilities(scores) else "softmax")


def class_labels(labels: Any, output: Any) -> NDArray[np.int64] | None:
    """The class numbers of a batch, shape (n,), if its network is a classifier.

    That is told by labels of whole numbers of shape (n,) or (n, 1), and an output of real
    numbers of shape (n, c) with c of 2 or more.
    """
    shape, label_shape = (list(getattr(array, "shape", ())) for array in (output, labels))
    if len(shape) != 2 or shape[1] < 2 or label_shape not in ([shape[0]], [shape[0], 1]):
        return None
    if "float" not in str(output.dtype):
        return None
    ids = to_array(labels)
    return ids.reshape(-1).astype(np.int64) if ids.dtype.kind in "iu" else None


def _are_probabilities(scores: NDArray[np.float32]) -> bool:
    """Whether each row is a distribution, up to the rounding of half precision."""
    if not ((scores >= 0) & (scores <= 1)).all():
        return False
    return bool(np.allclose(scores.sum(axis=1), 1.0, atol=5e-3))
