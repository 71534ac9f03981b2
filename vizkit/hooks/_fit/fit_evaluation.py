"""An evaluation of a ``paddle.Model``: its mean loss, metrics, curves and images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch, binary_labels, class_labels
from vizkit.hooks._fit.callback_logs import LoggedScalars, Logs, batch_size, metric_scalars, numbered_scalars
from vizkit.hooks._fit.evaluation_images import EvaluationImages
from vizkit.hooks._fit.loss_activation import activation_of_loss
from vizkit.hooks._guard import Guard
from vizkit.hooks._paddle import paddle
from vizkit.metrics.activation import Activation
from vizkit.metrics.arrays import to_float

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker
    from vizkit.writing.curve_collector import CurveCollector

__all__ = ["MAX_GATHERED_CLASSES", "EvaluationCurves", "EvaluationRecorder", "MeanLoss"]

MAX_GATHERED_CLASSES = 2000
"""The number of classes up to which curves are recorded by default."""


class EvaluationRecorder:
    """Evaluations, each gathered batch by batch and recorded at its end.

    Args:
        reduce: turns scalars of this rank into those to record.
    """

    def __init__(
        self,
        tracker: Tracker,
        guard: Guard,
        images: EvaluationImages,
        *,
        curves: bool,
        class_names: Sequence[str] | None,
        reduce: Callable[[LoggedScalars], LoggedScalars],
    ) -> None:
        self._tracker = tracker
        self._guard = guard
        self._images = images
        self._records_curves = curves
        self._class_names = class_names
        self._reduce = reduce
        self._metrics: list[str] = []
        self._loss = MeanLoss()
        self._curves: EvaluationCurves | None = None

    def check(self, model: paddle.Model) -> None:
        """Check before a training or an evaluation that its data has the images to record.

        Raises:
            DataError: it does not.
        """
        if paddle.in_dynamic_mode():
            self._images.check(model, model._test_dataloader)

    def begin(self, model: paddle.Model, logs: Logs | None) -> None:
        """Begin an evaluation; in Paddle's static mode only its scalars are recorded."""
        metrics = (logs or {}).get("metrics") or ()
        self._metrics = list(metrics) if isinstance(metrics, (list, tuple)) else []
        self._loss = MeanLoss()
        self._curves = None
        dynamic = paddle.in_dynamic_mode()
        activation = activation_of_loss(getattr(model, "_loss", None))
        if self._records_curves and dynamic:
            self._curves = EvaluationCurves(self._tracker, self._class_names, activation, self._guard.warn)
        self._images.begin(model._test_dataloader if dynamic else None, activation)

    def wants(self, number: int) -> bool:
        """True if batch ``number`` is to be captured."""
        return (self._curves is not None and self._curves.wanted) or self._images.wants(number)

    def add(self, number: int, logs: Logs | None, batch: Batch | None) -> None:
        """Add a batch, which was captured or not."""
        if "loss" in self._metrics and logs and "loss" in logs:
            with self._guard("eval loss"):
                self._loss.add(logs["loss"], batch_size(logs, 1))
        if batch is None:
            return
        if self._curves is not None:
            with self._guard("curves"):
                self._curves.add(batch)
        self._images.add(number, batch)

    def record(self, step: int, logs: Logs | None) -> None:
        """Record the evaluation."""
        scalars: LoggedScalars = {}
        repeated = False
        with self._guard("eval scalars"):
            names = [name for name in self._metrics if name != "loss"]
            scalars = self._reduce(self._loss.scalars("eval"))
            scalars |= metric_scalars("eval", logs, names)
            repeated = self._repeats_last(step, scalars)
            if not repeated:
                self._tracker.log(scalars, step)
        self._images.record(step)
        curves, self._curves = self._curves, None
        if curves is not None and not repeated:
            with self._guard("curves"):
                curves.record(step, without=scalars)

    def _repeats_last(self, step: int, scalars: LoggedScalars) -> bool:
        """True if the run's last evaluation was at this step and had the same results, the loss included."""
        before = _last.pop(self._tracker, None)
        try:
            results = (step, {tag: to_float(value) for tag, value in scalars.items()})
        except DataError:  # a metric that is not a number, which the tracker warns about
            return False
        _last[self._tracker] = results
        return before == results and "eval/loss" in scalars


_last: WeakKeyDictionary[Tracker, tuple[int, dict[str, float]]] = WeakKeyDictionary()


class MeanLoss:
    """The mean of each loss over all samples of an evaluation; Paddle logs the last batch's only."""

    def __init__(self) -> None:
        self._sums: list[float] = []
        self._count = 0

    def add(self, losses: object, size: int) -> None:
        """Add the mean losses of a batch of ``size`` samples: a number, or a list of numbers."""
        each = losses if isinstance(losses, (list, tuple)) else [losses]
        values = [to_float(loss) for loss in cast("Sequence[float]", each)]
        self._sums = self._sums or [0.0] * len(values)
        self._sums = [total + value * size for total, value in zip(self._sums, values, strict=True)]
        self._count += size

    def means(self) -> list[float]:
        """The mean of each loss; empty before the first batch."""
        return [total / self._count for total in self._sums] if self._count else []

    def scalars(self, mode: str) -> LoggedScalars:
        """The means as scalars: ``<mode>/loss``, of several their sum and ``<mode>/loss/0`` ..."""
        return numbered_scalars(f"{mode}/loss", self.means())


class EvaluationCurves:
    """The curves of an evaluation, recorded by `Tracker.curves` if the network is a classifier.

    Args:
        activation: what the loss says of the scores; with "auto", the whole evaluation decides.

    Attributes:
        wanted: False once a batch was not that of a classifier.
    """

    def __init__(
        self,
        tracker: Tracker,
        class_names: Sequence[str] | None,
        activation: Activation | None,
        warn: Callable[[str, object], None],
    ) -> None:
        self._tracker = tracker
        self._class_names = class_names
        self._activation = activation
        self._warn = warn
        self._collector: CurveCollector | None = None
        self.wanted = True

    def add(self, batch: Batch) -> None:
        """Add a batch; stop at the first that is not that of a classifier."""
        if not self.wanted:
            return
        labels, output = batch.first_label, batch.output
        given = class_labels(labels, output)
        truth = binary_labels(labels, output) if given is None else given
        if truth is None:
            self.wanted, self._collector = False, None
            return
        if self._collector is None:
            classes = output.shape[1] if len(output.shape) > 1 else 1
            if classes > MAX_GATHERED_CLASSES:
                self.wanted = False
                self._warn(
                    "curves",
                    tr(
                        "the network has {classes} classes, more than {most}; record those that matter with "
                        "tracker.log_curves",
                        classes=classes,
                        most=MAX_GATHERED_CLASSES,
                    ),
                )
                return
            names = self._fitting_names(classes)
            self._collector = self._tracker.curves("eval", class_names=names, activation=self._activation)
        self._collector.add(truth, output)

    def _fitting_names(self, classes: int) -> Sequence[str] | None:
        names = self._class_names
        if names is None or len(names) == classes or (classes == 1 and len(names) == 2):
            return names
        self._warn(
            "class_names",
            tr(
                "{names} names for {classes} classes; numbers are used in the curves",
                names=len(names),
                classes=classes,
            ),
        )
        return None

    def record(self, step: int, without: Collection[str]) -> None:
        """Record the curves of a classifier, but for scalars that metrics have recorded."""
        if self._collector is not None:
            self._collector.record(step, without=without)
