"""The base of all tasks: an evaluation that is gathered and recorded, and its options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, cast, get_args

import numpy as np

from vizkit._protocols import ArrayLike, StepLike
from vizkit.format.tables import Texts
from vizkit.media.image_layers import Layers
from vizkit.metrics.activation import Activation
from vizkit.metrics.arrays import AnyArray
from vizkit.metrics.ctc import CTC
from vizkit.metrics.evaluation_scores import LIMIT
from vizkit.metrics.quantiles import Quantiles
from vizkit.writing.evaluation import MAX_CURVE_CLASSES
from vizkit.writing.table_columns import Given, Pictures
from vizkit.writing.tasks.sample_rows import SampleRows

__all__ = [
    "NOTHING_TOLD",
    "TASKS",
    "Decode",
    "EvaluationTask",
    "LabelledBatch",
    "Labels",
    "LossFacts",
    "TaskName",
    "TaskOptions",
]

TaskName = Literal[
    "classification", "segmentation", "regression", "labelling", "generation", "detection", "retrieval"
]
TASKS: tuple[TaskName, ...] = get_args(TaskName)

Labels = ArrayLike | Sequence[str] | Sequence[Mapping[str, object]] | Mapping[str, object]
"""Labels or outputs of a batch: numbers, or of some tasks texts or dicts."""

Decode = Callable[[list[Any], list[Any]], tuple[Labels, Labels]]
"""Turns the tensors of a batch, its outputs and its labels, into labels and outputs of an evaluation."""


@dataclass(frozen=True)
class LossFacts:
    """Facts that a loss tells of its network.

    Attributes:
        activation: the function that makes probabilities of its scores: "softmax" or "sigmoid" of logits;
            None if they are probabilities; "auto" if the loss does not tell.
        task: what it is for, or what its outputs are: "classes" of which the shapes tell the task, "other"
            that are of no task; None if the loss does not tell.
        ignore_index: the label that does not count.
        class_axis: the axis of the classes in maps of scores.
        ctc: how its scores are decoded, of a CTC loss.
    """

    activation: Activation | None = "auto"
    task: Literal["classes", "regression", "generation", "detection", "other"] | None = None
    ignore_index: int | None = None
    class_axis: int = 1
    ctc: CTC | None = None


NOTHING_TOLD = LossFacts()


@dataclass(frozen=True)
class TaskOptions:
    """Options of an evaluation; each task reads those that it knows.

    Attributes:
        activation: what the scores are; "auto" if only they tell.
        classes: number of classes, where it is not that of the scores.
        class_names: names of the classes, or of a regression's outputs.
        ignore_index: the label of what does not count.
        class_axis: the axis of the classes in the scores.
        samples: ids of the samples to show, or how many of the first.
        worst: how many of the worst to show.
        quantiles: the levels of those that a regression gives, or "normal" if it gives mean and variance.
        ctc: how scores are decoded to texts.
        mean: the mean that images were normalised with.
        std: the standard deviation that they were normalised with.
        limit: numbers that are kept; past them they are counted.
        most_classes: with more classes, none has records of its own.
        predictions: rows of the table of predictions at most; 0 for no table.
        slices: name -> values by id, of further columns of it.
        later: has a job run off the training's thread, of so many bytes; None to run it at once.
    """

    activation: Activation | None = "auto"
    classes: int | None = None
    class_names: Sequence[str] | None = None
    ignore_index: int | None = None
    class_axis: int = 1
    samples: Sequence[int | str] | int = 4
    worst: int = 4
    quantiles: Quantiles | None = None
    ctc: CTC | None = None
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None
    limit: int = LIMIT
    most_classes: int = MAX_CURVE_CLASSES
    predictions: int = 0
    slices: Mapping[str, Any] = field(default_factory=dict)
    later: Callable[[Callable[[], None], int], None] | None = None


@dataclass(frozen=True, eq=False)
class LabelledBatch:
    """A batch of an evaluation.

    Attributes:
        labels: what is true.
        outputs: what the network gave.
        inputs: what it was given; None if that is not to be shown.
        ids: what tells each sample from all others, in every evaluation; None to count them.
        slices: name -> a value of each sample, which groups it with others.
    """

    labels: Labels
    outputs: Labels
    inputs: Labels | None = None
    ids: Sequence[int | str] | AnyArray | None = None
    slices: Mapping[str, object] | None = None

    def input(self, row: int) -> object:
        """The input of a sample; None if there is none, as where inputs are not one a sample."""
        try:
            return cast("Sequence[object]", self.inputs)[row]
        except (IndexError, KeyError, TypeError):
            return None


class EvaluationTask(ABC):
    """The labels and outputs of one evaluation, added batch by batch in bounded memory."""

    name: ClassVar[TaskName]

    def __init__(self, options: TaskOptions) -> None:
        self.options = options
        self.told: dict[str, str] = {}
        self._rows = SampleRows(options)

    @property
    @abstractmethod
    def samples(self) -> int:
        """Number of samples, or of parts of them that count by themselves."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of memory in use."""

    @abstractmethod
    def add(self, batch: LabelledBatch) -> None:
        """Add a batch; its arrays are only read.

        Raises:
            DataError: what does not fit the task.
        """

    @abstractmethod
    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""

    @abstractmethod
    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records, but for the scalars ``without``.

        Args:
            explained: whether the run says already how its numbers are meant.
        """

    def table(self) -> dict[str, Given]:
        """The columns of the table of predictions, off the training's thread; empty without one."""
        return self._rows.finished(self._rows.columns(), self._layers)

    def _layers(self, marks: Any, size: tuple[int, int]) -> Layers | None:  # noqa: ANN401
        """The layers over an image of this height and width, of the marks that a task has offered."""
        return None

    @property
    def about(self) -> dict[str, str]:
        """Facts of the table."""
        return {"task": self.name, **self._rows.about, **self.told}

    def rows(self) -> dict[str, AnyArray]:
        """The columns of the table as plain arrays, without the inputs: ``{"id": ..., "iou": ...}``."""
        found = {name: column for name, column in self.table().items() if not isinstance(column, Pictures)}
        return {
            name: column.to_array() if isinstance(column, Texts) else np.asarray(column)
            for name, column in found.items()
        }
