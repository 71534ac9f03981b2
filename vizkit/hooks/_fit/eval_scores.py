"""What is gathered over an evaluation, batch by batch: the mean loss, and labels with scores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit.metrics.arrays import to_array, to_float

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker
    from vizkit.writing.curve_collector import CurveCollector

__all__ = ["MOST_CLASSES", "EvalScores", "MeanLoss", "binary_labels", "class_labels"]

MOST_CLASSES = 2000
"""For how many classes an evaluation is gathered without being asked for."""


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


class EvalScores:
    """Labels and scores of an evaluation, gathered for `Tracker.curves` while they are a classifier's.

    Args:
        tracker: what records.
        class_names: of the classes; not used if they are not as many.
        warn: tells once of a path and why it was not recorded.
    """

    def __init__(
        self, tracker: Tracker, class_names: Sequence[str] | None, warn: Callable[[str, object], None]
    ) -> None:
        self._tracker = tracker
        self._class_names = class_names
        self._warn = warn
        self._curves: CurveCollector | None = None
        self.wanted = True

    def add(self, labels: Any, output: Any) -> None:
        """Adds a batch; gives up at the first that is not a classifier's."""
        if not self.wanted:
            return
        given: NDArray[Any] | None = class_labels(labels, output)
        if given is None:
            given = binary_labels(labels, output)
        if given is None:
            self.wanted, self._curves = False, None
            return
        if self._curves is None:
            classes = output.shape[1] if len(output.shape) > 1 else 1
            if classes > MOST_CLASSES:
                self.wanted = False
                self._warn(
                    "curves",
                    f"the network tells {classes} classes apart, more than {MOST_CLASSES}; "
                    "record those that matter with tracker.log_curves",
                )
                return
            names = self._fitting_names(classes)
            self._curves = self._tracker.curves("eval", class_names=names, activation="auto")
        self._curves.add(given, output)

    def _fitting_names(self, classes: int) -> Sequence[str] | None:
        names = self._class_names
        if names is None or len(names) == classes or (classes == 1 and len(names) == 2):
            return names
        self._warn("class_names", f"{len(names)} names for {classes} classes; numbers are used in the curves")
        return None

    def record(self, step: int, without: Collection[str]) -> None:
        """Records what was added, if it is a classifier's, but for scalars that metrics have recorded."""
        if self._curves is not None:
            self._curves.record(step, without=without)


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


def binary_labels(labels: Any, output: Any) -> NDArray[np.bool_] | None:
    """The labels of a batch as bools, if they are 0 and 1 in the shape of an output (n,) or (n, c)."""
    shape, label_shape = (list(getattr(array, "shape", ())) for array in (output, labels))
    if len(shape) not in (1, 2) or label_shape != shape or "float" not in str(output.dtype):
        return None
    array = to_array(labels)
    return array == 1 if ((array == 0) | (array == 1)).all() else None
