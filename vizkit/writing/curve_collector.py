"""What `Tracker.curves` hands out: labels and scores of an evaluation, gathered batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.evaluation_scores import EvaluationScores
from vizkit.writing.evaluation import Names

__all__ = ["CurveCollector", "checked_names"]


class CurveCollector:
    """Gathers an evaluation with `add`, and records it with `record`; then it is ready for the next.

    As a context manager it records when the block ends, unless that raised.

    ===================================  =======================================================
    tag                                  what
    ===================================  =======================================================
    ``eval/pr/<class>``, ``eval/roc/..`` curves of each class against the rest; ``eval/pr`` and
                                         ``eval/roc`` of a single class
    ``eval/ap/<class>``, ``eval/auc/..`` their areas, from all scores
    ``eval/pr/micro``, ``eval/ap/micro`` the same of all classes as one, each score a sample
    ``eval/ap``, ``eval/auc``            means over the classes that have both kinds of samples
    ``eval/confusion``                   image; its numbers are the text ``eval/confusion/counts``.
                                         Not for several labels a sample
    ``eval/reliability``, ``eval/ece``   diagram and expected calibration error, if scores are
                                         probabilities; numbers: ``eval/reliability/bins``
    ``eval/classes``                     above ``most_classes``: a table of all, the worst first
    ``eval/binning``                     past ``limit``: how far areas may be off
    ===================================  =======================================================

    Labels are class numbers, or 0 and 1 in the shape of the scores: with one 1 in every row they
    are one-hot, otherwise several labels a sample.

    If a batch is refused, the evaluation is not recorded: without it the numbers would be others.

    Args:
        gatherer: makes what gathers one evaluation.
        record: records it at a step, without some scalars.
        refuse: tells of an error, or raises it.
        enabled: whether to do anything at all.
        class_names: names of the classes, checked at the first batch.
    """

    def __init__(
        self,
        gatherer: Callable[[], EvaluationScores],
        *,
        record: Callable[[EvaluationScores, Any, Collection[str]], None],
        refuse: Callable[[Exception], None],
        enabled: bool = True,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self._new = gatherer
        self._scores = gatherer()
        self._record = record
        self._refuse = refuse
        self._enabled = enabled
        self._class_names = class_names
        self._refused = False

    def add(self, labels: Any, scores: Any) -> None:
        """Adds a batch; arrays and tensors are only read, and may be changed afterwards.

        Args:
            labels: class numbers of shape (n,) or (n, 1), or 0 and 1 of shape (n, c), one-hot or several
                a sample. For a single class, 0 and 1 of shape (n,) or (n, 1).
            scores: shape (n, c), or (n,) for a single class. With further axes, such as (n, c, h, w)
                with labels (n, h, w) or (n, 1, h, w), each place is a sample.

        Raises:
            DataError: see `EvaluationScores.add`; only if the tracker is strict.
        """
        if not self._enabled or self._refused:
            return
        try:
            first = not self._scores.classes
            self._scores.add(labels, scores)
            if first:
                Names(self._scores.classes, self._class_names)
        except Exception as error:
            self.discard()
            self._refused = True
            self._refuse(error)

    def record(self, step: Any = None, *, without: Collection[str] = ()) -> None:
        """Records what was added since the last record.

        Args:
            step: the step; by default that of the tracker's clock.
            without: scalars to leave out, such as ``eval/auc`` where a metric has recorded that.

        Raises:
            DataError: nothing was added; only if the tracker is strict.
        """
        scores, refused = self._scores, self._refused
        self.discard()
        if self._enabled and not refused:
            self._record(scores, step, without)

    def discard(self) -> None:
        """Forgets what was added since the last record."""
        self._scores, self._refused = self._new(), False

    def __enter__(self) -> CurveCollector:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc_type is None and self._scores.samples:
            self.record()
        else:
            self.discard()


def checked_names(class_names: Any) -> list[str] | None:
    """Class names as a list.

    Raises:
        DataError: no list of names, or some are equal.
    """
    if class_names is None:
        return None
    if isinstance(class_names, (str, bytes, Mapping)) or not isinstance(class_names, Iterable):
        raise DataError(f"class_names must be a list such as ['cat', 'dog'], got {describe(class_names)}")
    names = [str(name) for name in class_names]
    if len(set(names)) != len(names):
        raise DataError(f"class_names must differ, got {describe(names)}")
    return names
