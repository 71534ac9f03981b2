"""Gathering of an evaluation batch by batch: what `Tracker.curves` returns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from vizkit._protocols import ArrayLike, StepLike
from vizkit.metrics.evaluation_scores import EvaluationScores
from vizkit.writing.evaluation import ClassNames

__all__ = ["CurveCollector"]


class CurveCollector:
    """Labels and scores of an evaluation: `add` gathers them, `record` records them and starts the next one.

    As a context manager it records at the end of the block, unless an error was raised.

    `vizkit.writing.evaluation` lists what is recorded.

    Labels are class numbers, or 0 and 1 in the shape of the scores: one-hot if every row has one 1,
    otherwise multi-label.

    If a batch is refused, the evaluation is not recorded, since its numbers would be wrong.
    """

    def __init__(
        self,
        new_scores: Callable[[], EvaluationScores],
        *,
        record: Callable[[EvaluationScores, StepLike | None, Collection[str]], None],
        refuse: Callable[[Exception], None],
        enabled: bool = True,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self._new = new_scores
        self._scores = new_scores()
        self._record = record
        self._refuse = refuse
        self._enabled = enabled
        self._class_names = class_names
        self._refused = False

    def add(self, labels: ArrayLike, scores: ArrayLike) -> None:
        """Add a batch; arrays and tensors are only read, and may be changed afterwards.

        Args:
            labels: class numbers of shape (n,) or (n, 1), or 0 and 1 of shape (n, c), one-hot or
                multi-label. For a single class, 0 and 1 of shape (n,) or (n, 1).
            scores: shape (n, c), or (n,) for a single class. With further axes, such as (n, c, h, w)
                with labels (n, h, w) or (n, 1, h, w), each position is a sample.

        Raises:
            DataError: see `EvaluationScores.add`; raised only if the tracker is strict.
        """
        if not self._enabled or self._refused:
            return
        try:
            first = not self._scores.classes
            self._scores.add(labels, scores)
            if first:
                ClassNames(self._scores.classes, self._class_names)
        except Exception as error:
            self.discard()
            self._refused = True
            self._refuse(error)

    def record(self, step: StepLike | None = None, *, without: Collection[str] = ()) -> None:
        """Record what was added since the last record.

        Args:
            step: the step; by default the tracker's current one.
            without: scalars to leave out, such as an ``eval/auc`` that a metric has recorded.

        Raises:
            DataError: nothing was added; raised only if the tracker is strict.
        """
        scores, refused = self._scores, self._refused
        self.discard()
        if self._enabled and not refused:
            self._record(scores, step, without)

    def discard(self) -> None:
        """Forget what was added since the last record."""
        self._scores, self._refused = self._new(), False

    def __enter__(self) -> CurveCollector:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None and self._scores.samples:
            self.record()
        else:
            self.discard()
