"""Gathering of an evaluation batch by batch: what `Tracker.evaluation` and `Tracker.curves` return."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from vizkit._protocols import StepLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray
from vizkit.writing.tasks.batch_forms import is_empty, samples_apart
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, Labels, TaskName

__all__ = ["Evaluation"]


class Evaluation:
    """Labels and outputs of an evaluation: `add` gathers them, `record` records them and starts the next one.

    As a context manager it records at the end of the block, unless an error was raised. A block without
    samples, as over an empty data set, is warned about.

    If a batch is refused, the evaluation is not recorded, since its numbers would be wrong.

    Attributes:
        about: texts that the table of predictions tells of itself, such as where its ids come from.
    """

    def __init__(
        self,
        tag: str,
        known: Callable[[LabelledBatch, TaskName | None], tuple[TaskName, LabelledBatch, str]],
        new_task: Callable[[TaskName], EvaluationTask],
        *,
        record: Callable[[EvaluationTask, StepLike | None, Collection[str], str], None],
        refuse: Callable[[Exception], None],
        enabled: bool = True,
    ) -> None:
        self._tag = tag
        self._known = known
        self._new = new_task
        self._said = ""
        self._task: EvaluationTask | None = None
        self._last: EvaluationTask | None = None
        self._record = record
        self._refuse = refuse
        self._enabled = enabled
        self._refused = False
        self._recorded = False  # in the block of a ``with``
        self.about: dict[str, str] = {}

    def add(
        self,
        labels: Labels,
        outputs: Labels,
        inputs: Labels | None = None,
        *,
        ids: Sequence[int | str] | AnyArray | None = None,
        slices: Mapping[str, object] | None = None,
    ) -> None:
        """Add a batch; arrays and tensors are only read, and may be changed afterwards.

        Maps and sequences of unequal sizes may be lists of arrays, with a ``task``.

        Args:
            labels: what is true, such as class numbers of shape (n,); of each task, see `Tracker.evaluation`.
            outputs: what the network gave, such as scores of shape (n, c).
            inputs: what it was given, such as images of shape (n, c, h, w) or n texts: some are recorded.
            ids: whole numbers, texts or paths that tell the samples apart, also in another order and another
                evaluation; by default their places in this one, from 0 on.
            slices: name -> a value of each sample, such as ``{"light": ["day", "night", ...]}``: columns of
                the table of predictions.

        Raises:
            DataError: what does not fit the task; raised only if the tracker is strict.
        """
        if not self._enabled or self._refused:
            return
        try:
            before = None if self._task is None else self._task.name
            batch = LabelledBatch(labels, outputs, inputs, ids, slices)
            if is_empty(batch):
                return
            name, batch, said = self._known(batch, before)
            self._said = self._said or said
            if self._task is None:
                self._task = self._new(name)
            for part in samples_apart(batch, name):
                self._task.add(part)
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
        task, refused, said = self._task, self._refused, self._said
        self._recorded = True
        self.discard()
        if not self._enabled or refused:
            return
        if task is None:
            self._refuse(DataError("{tag}: no samples were added", tag=self._tag))
            return
        task.told = self.about
        self._last = task
        self._record(task, step, without, said)

    def discard(self) -> None:
        """Forget what was added since the last record."""
        self._task, self._refused, self._said = None, False, ""

    def rows(self) -> dict[str, AnyArray]:
        """The table of predictions of what is being added, or else of what was recorded last.

        Returns:
            Columns of equal length, such as ``{"id": ..., "label": ..., "prediction": ...}``, without the
            inputs; empty if there is none.
        """
        task = self._task or self._last
        return {} if task is None else task.rows()

    def __enter__(self) -> Evaluation:
        self._recorded = False
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None and (self._task is not None or not self._recorded):
            self.record()
        else:
            self.discard()
