"""An evaluation of a ``paddle.Model``: its mean loss, metrics, curves and images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from vizkit._checks import describe
from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.batch_boxes import boxes_of_batch
from vizkit.hooks._fit.callback_logs import LoggedScalars, Logs, batch_size, metric_scalars, numbered_scalars
from vizkit.hooks._fit.evaluation_images import EvaluationImages
from vizkit.hooks._fit.loss_facts import facts_of_loss
from vizkit.hooks._fit.sample_images import Display
from vizkit.hooks._fit.seen_indices import SeenIndices
from vizkit.hooks._guard import Guard
from vizkit.hooks._paddle import paddle
from vizkit.metrics.activation import Activation
from vizkit.metrics.arrays import dtype_of, shape_of, to_float
from vizkit.metrics.quantiles import Quantiles
from vizkit.writing.tasks.choice import check_task, known_task
from vizkit.writing.tasks.known_batch import KnownBatch, known_batch
from vizkit.writing.tasks.sample_rows import checked_slices, row_limit
from vizkit.writing.tasks.task import Decode, Labels, LossFacts, TaskName, TaskOptions

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker
    from vizkit.writing.evaluation_collector import Evaluation

__all__ = [
    "MAX_GATHERED_CLASSES",
    "EvaluationOutputs",
    "EvaluationRecorder",
    "EvaluationSettings",
    "MeanLoss",
]

MAX_GATHERED_CLASSES = 2000
"""The number of classes up to which curves are recorded by default."""


# In English, since they are recorded.
_UNKNOWN = (
    "What the network is for is not known: the loss does not tell, and outputs of shape {outputs} with "
    "labels of shape {labels} can be of several tasks. Only loss and metrics are recorded. Give callback a "
    "task=, or a decode= that makes labels and outputs of a known form."
)
_SEVERAL = (
    "The network gives {count} outputs. The first, of shape {shape}, is evaluated with the first labels: "
    "give callback a decode= for another."
)


@dataclass(frozen=True)
class EvaluationSettings:
    """Options of evaluations; see `vizkit.hooks.callback`."""

    display: Display
    task: TaskName | None = None
    activation: Activation | None = "auto"
    classes: int | None = None
    ignore_index: int | None = None
    quantiles: Quantiles | None = None
    decode: Decode | None = None
    curves: bool = True
    samples: Sequence[int] | None = None
    worst: int | None = None
    predictions: bool | int | None = None
    slices: Mapping[str, Sequence[object] | Mapping[int | str, object]] | None = None

    def check(self) -> None:
        """Check what can be wrong of itself.

        Raises:
            DataError: a bad option.
        """
        check_task(
            self.task,
            TaskOptions(
                activation=self.activation,
                classes=self.classes,
                ignore_index=self.ignore_index,
                quantiles=self.quantiles,
                predictions=row_limit(self.predictions),
                slices=checked_slices(self.slices),
            ),
        )
        if self.decode is not None and not callable(self.decode):
            raise DataError("decode must be a function, got {decode}", decode=describe(self.decode))

    def told(self, facts: LossFacts) -> LossFacts:
        """The facts that a loss tells, and those that the user tells instead."""
        return replace(
            facts,
            activation=facts.activation if self.activation == "auto" else self.activation,
            ignore_index=facts.ignore_index if self.ignore_index is None else self.ignore_index,
        )


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
        settings: EvaluationSettings,
        *,
        reduce: Callable[[LoggedScalars], LoggedScalars],
    ) -> None:
        self._tracker = tracker
        self._guard = guard
        self._images = images
        self._settings = settings
        self._reduce = reduce
        self._metrics: list[str] = []
        self._loss = MeanLoss()
        self._empty = True
        self._outputs: EvaluationOutputs | None = None

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
        self._empty = True
        self._end_outputs()
        loader = model._test_dataloader if paddle.in_dynamic_mode() else None
        loss = getattr(model, "_loss", None)
        if self._settings.curves and loader is not None:
            with self._guard("curves"):
                self._outputs = EvaluationOutputs(
                    self._tracker, self._settings, loss, loader, self._guard.warn
                )
        self._images.begin(loader, self._settings.told(facts_of_loss(loss)).activation)

    def wants(self, number: int) -> bool:
        """True if batch ``number`` is to be captured."""
        return (self._outputs is not None and self._outputs.wanted) or self._images.wants(number)

    def add(self, number: int, logs: Logs | None, batch: Batch | None) -> None:
        """Add a batch, which was captured or not."""
        self._empty = False
        if "loss" in self._metrics and logs and "loss" in logs:
            with self._guard("eval loss"):
                self._loss.add(logs["loss"], batch_size(logs, 1))
        if batch is None:
            return
        if self._outputs is not None:
            with self._guard("curves"):
                self._outputs.add(batch)
        if not self._shows_samples:
            self._images.add(number, batch)

    @property
    def _shows_samples(self) -> bool:
        """True if the task shows its own samples."""
        return self._outputs is not None and self._outputs.task not in (None, "classification")

    def record(self, step: int, logs: Logs | None) -> None:
        """Record the evaluation; of one without batches Paddle's metrics hold what was before it."""
        scalars: LoggedScalars = {}
        repeated = False
        with self._guard("eval scalars"):
            names = [name for name in self._metrics if name != "loss"]
            scalars = self._reduce(self._loss.scalars("eval"))  # all ranks wait for this one
            if self._empty:
                self._end_outputs()
                self._guard.warn("eval", tr("the evaluation's data has no batches"))
                return
            scalars |= metric_scalars("eval", logs, names)
            repeated = self._repeats_last(step, scalars)
            if not repeated:
                self._tracker.log(scalars, step)
        if not self._shows_samples:
            self._images.record(step)
        outputs = self._outputs
        self._end_outputs()
        if outputs is not None and not repeated:
            with self._guard("curves"):
                outputs.record(step, without=scalars)

    def _end_outputs(self) -> None:
        if self._outputs is not None:
            self._outputs.end()
        self._outputs = None

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


class EvaluationOutputs:
    """The labels and outputs of an evaluation, recorded by `Tracker.evaluation` if it is known what they are.

    Attributes:
        task: what the network is for; None if that is not known, or not yet.
        wanted: False once a batch was that of no task.
    """

    def __init__(
        self,
        tracker: Tracker,
        settings: EvaluationSettings,
        loss: object,
        loader: paddle.io.DataLoader,
        warn: Callable[[str, object], None],
    ) -> None:
        self._tracker = tracker
        self._settings = settings
        self._loss = loss
        self._facts = settings.told(facts_of_loss(loss))
        self._indices = SeenIndices(loader)
        self._warn = warn
        self._evaluation: Evaluation | None = None
        self._said = ""
        self.task: TaskName | None = None
        self.wanted = True

    def add(self, batch: Batch) -> None:
        """Add a batch; stop at the first that is of no task."""
        if not self.wanted:
            return
        self.wanted = False  # an error below is the end: an evaluation without a batch would be wrong
        found = self._decoded(batch)
        if found is None or self.task not in (None, found.task):
            if self.task is not None:
                self._warn(
                    "curves",
                    tr(
                        "a batch is not one of a {task}, as those before are: the evaluation is left out; "
                        "give callback a task=",
                        task=self.task,
                    ),
                )
            self._evaluation, self.task = None, None
            told = self._settings.task or self._facts.task
            if found is None and told in ("detection", "generation"):
                raise DataError(
                    "outputs and labels are not in a form that is known of a {task}: give callback a "
                    "decode=, a function of both that returns the labels and outputs of the batch",
                    task=told,
                )
            if found is None and batch.labels and batch.outputs:
                shapes = {"outputs": shape_of(batch.output), "labels": shape_of(batch.first_label)}
                self._said = _UNKNOWN.format(**shapes)
            return
        self.wanted = True
        known, truth, output, said = found
        self._said = self._said or "\n".join(filter(None, [said, self._left_out(batch, output)]))
        if self._evaluation is None and not self._begin(known, truth if known == "regression" else output):
            return
        indices = self._indices.next()
        if self._evaluation is not None:
            self._evaluation.add(truth, output, batch.inputs[0] if batch.inputs else None, ids=indices)

    def _left_out(self, batch: Batch, output: Labels) -> str:
        """A note on outputs that are not evaluated; empty if there are none."""
        if output is not batch.output or len(batch.outputs) < 2:
            return ""
        return _SEVERAL.format(count=len(batch.outputs), shape=shape_of(batch.output))

    def _decoded(self, batch: Batch) -> KnownBatch | None:
        """The task of a batch, its labels and outputs; None if it is of no task."""
        settings, facts = self._settings, self._facts
        labels, output = cast("Labels", batch.first_label), cast("Labels", batch.output)
        if settings.decode is not None:
            with paddle.no_grad():
                labels, output = settings.decode(batch.outputs, batch.labels)
        elif facts.task == "generation" and settings.task in (None, "generation"):
            labels = cast("Labels", tuple(batch.labels) if len(batch.labels) == 3 else labels)
        elif settings.quantiles is not None and len(batch.outputs) == 2:
            output = cast("Labels", tuple(batch.outputs))
        elif settings.task == "detection" or facts.task == "detection":
            boxes = boxes_of_batch(batch.labels, batch.outputs)
            if boxes is None:
                return None
            labels, output = boxes
        if settings.task not in (None, "classification"):
            return KnownBatch(settings.task, labels, output)
        if settings.quantiles is not None and known_task(labels, output, facts) is None:
            return KnownBatch("regression", labels, output)
        if settings.task == "classification":
            facts = replace(facts, task="classes")
        return known_batch(labels, output, facts, self.task)

    def _begin(self, task: TaskName, output: Labels) -> bool:
        shape = [] if task in ("detection", "generation", "retrieval") else shape_of(output)
        if task in ("segmentation", "labelling") and "int" in dtype_of(output):
            shape = []  # class numbers, which have no axis of classes
        classes = shape[self._facts.class_axis if len(shape) > 3 else 1] if len(shape) > 1 else 1
        if task == "regression":
            classes = classes if len(shape) == 2 else 1
        elif task == "labelling":
            classes = shape[-1] if shape else 1
        elif classes > MAX_GATHERED_CLASSES:
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
            return False
        self.task = task
        settings = self._settings
        few = 0 if task == "classification" else 4  # of it, `EvaluationImages` shows samples
        self._evaluation = self._tracker.evaluation(
            "eval",
            task=task,
            loss=self._loss,
            activation=settings.activation,
            classes=settings.classes,
            class_names=self._fitting_names(classes if shape else None),
            ignore_index=settings.ignore_index,
            quantiles=settings.quantiles if task == "regression" else None,
            samples=few if settings.samples is None or not few else settings.samples,
            worst=few if settings.worst is None or not few else settings.worst,
            mean=settings.display.mean,
            std=settings.display.std,
            predictions=settings.predictions,
            slices=settings.slices,
        )
        return True

    def _fitting_names(self, classes: int | None) -> Sequence[str] | None:
        names = self._settings.display.class_names
        if names is None or classes is None or len(names) == classes or (classes == 1 and len(names) == 2):
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
        """Record the evaluation, but for scalars that metrics have recorded."""
        if self._evaluation is not None and self.wanted:
            self._evaluation.about["ids"] = "index" if self._indices.known else "unknown order"
            self._evaluation.record(step, without=without)
        if self._said and self._tracker.writer.kind_of("eval/task") is None:  # once a run
            self._tracker.log_text("eval/task", self._said, step)

    def end(self) -> None:
        """Leave the loader as it was."""
        self._indices.end()
