"""What an evaluation of a `paddle.Model` records: loss, metrics, curves and images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.eval_images import EvalImages
from vizkit.hooks._fit.eval_scores import EvalScores, MeanLoss
from vizkit.hooks._fit.logs import metric_scalars, spread
from vizkit.hooks._guard import Guard
from vizkit.hooks._paddle import paddle
from vizkit.metrics.arrays import to_float

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Evaluating"]


class Evaluating:
    """Gathers one evaluation after the other, and records each at its end.

    Args:
        tracker: what records.
        guard: keeps trouble away from the training.
        images: which images are recorded.
        curves: whether to record the curves of a classifier.
        class_names: of the classes.
        of_ranks: makes of scalars what is to be recorded of those of all ranks.
    """

    def __init__(
        self,
        tracker: Tracker,
        guard: Guard,
        images: EvalImages,
        *,
        curves: bool,
        class_names: Sequence[str] | None,
        of_ranks: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        self._tracker = tracker
        self._guard = guard
        self._images = images
        self._curves = curves
        self._class_names = class_names
        self._of_ranks = of_ranks
        self._metrics: list[str] = []
        self._loss = MeanLoss()
        self._scores: EvalScores | None = None

    def check(self, model: Any) -> None:
        """Checks before a training or evaluation that the images that are asked for can be had.

        Raises:
            DataError: they cannot.
        """
        if paddle.in_dynamic_mode():
            self._images.check(model, model._test_dataloader)

    def begin(self, model: Any, logs: Any) -> None:
        """An evaluation begins; in Paddle's static mode only its scalars are recorded."""
        self._metrics = list((logs or {}).get("metrics") or ())
        self._loss = MeanLoss()
        self._scores = None
        dynamic = paddle.in_dynamic_mode()
        if self._curves and dynamic:
            self._scores = EvalScores(self._tracker, self._class_names, self._guard.warn)
        self._images.begin(model._test_dataloader if dynamic else None)

    def wants(self, number: int) -> bool:
        """Whether batch ``number`` is to be looked at."""
        return (self._scores is not None and self._scores.wanted) or self._images.wants(number)

    def add(self, number: int, logs: Any, batch: Batch | None) -> None:
        """Gathers a batch, which was looked at or not."""
        logs = logs or {}
        if "loss" in self._metrics and "loss" in logs:
            with self._guard("eval loss"):
                self._loss.add(logs["loss"], int(logs.get("batch_size") or 1))
        if batch is None:
            return
        if self._scores is not None:
            with self._guard("curves"):
                self._scores.add(batch.labels[0] if batch.labels else None, batch.output)
        self._images.add(number, batch)

    def record(self, step: int, logs: Any) -> None:
        """The evaluation has ended."""
        scalars: dict[str, Any] = {}
        known = False
        with self._guard("eval scalars"):
            names = [name for name in self._metrics if name != "loss"]
            scalars = self._of_ranks(spread("eval/loss", self._loss.means()))
            scalars |= metric_scalars("eval", logs, names)
            known = self._known(step, scalars)
            if not known:
                self._tracker.log(scalars, step)
        self._images.record(step)
        scores, self._scores = self._scores, None
        if scores is not None and not known:
            with self._guard("curves"):
                scores.record(step, without=scalars)

    def _known(self, step: int, scalars: dict[str, Any]) -> bool:
        """Whether these are the results of the run's last evaluation, made again; their loss tells."""
        before = _last.pop(self._tracker, None)
        try:
            found = (step, {tag: to_float(value) for tag, value in scalars.items()})
        except DataError:  # a metric that is no number, which is told when it is recorded
            return False
        _last[self._tracker] = found
        return before == found and "eval/loss" in scalars


_last: WeakKeyDictionary[Tracker, tuple[int, dict[str, float]]] = WeakKeyDictionary()
