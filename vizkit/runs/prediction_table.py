"""The table of an evaluation's predictions, as comparisons of samples see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vizkit.errors import QueryError
from vizkit.format.tables import TableColumn, TableColumns, Texts
from vizkit.metrics.arrays import AnyArray, Bools
from vizkit.reading import RunTables
from vizkit.runs.table_frames import prediction_table

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["CORRECT", "PredictionTable", "predictions_of"]

CORRECT = "correct"
"""The metric of a sample that is right or wrong."""

_METRICS = {
    "segmentation": "iou",
    "regression": "error",
    "labelling": "accuracy",
    "generation": "edits",
    "detection": "recall",
}  # of a sample, by the task
_FRACTIONS = {"recall": ("found", "labels"), "accuracy": ("wrong", "tokens")}  # which tables hold as counts
_CLASSIFIED = ("", "classification")
_MOST_CLASSES = 1000  # of a table that tells no task


class PredictionTable(NamedTuple):
    """The predictions of a run at a step.

    Attributes:
        run: the run's name.
        name: the table's name.
        step: its step.
        columns: its columns, with ``correct`` where that is known.
        tables: those of the run, with the images that this one refers to.
    """

    run: str
    name: str
    step: int | float
    columns: TableColumns
    tables: RunTables

    @property
    def task(self) -> str:
        """The evaluation's task; empty of tables that tell none."""
        return self.columns.about.get("task", "")

    @property
    def slices(self) -> list[str]:
        """The columns by which users cut the samples."""
        return [name for name in self.columns.about.get("slices", "").split("\n") if name in self.columns]

    @property
    def metric(self) -> str:
        """The metric of a sample by which it is compared."""
        return _METRICS.get(self.task, CORRECT)

    @property
    def has_classes(self) -> bool:
        """True if the labels are classes, each of which can be looked at."""
        label = self.columns.get("label")
        if label is None or self.task not in _CLASSIFIED:
            return False
        if isinstance(label, Texts):
            return label.category or len(label.values) <= _MOST_CLASSES
        return isinstance(label, np.ndarray) and label.dtype.kind in "iub"

    def column(self, name: str) -> TableColumn:
        """A column, or ``correct`` as bools.

        Raises:
            QueryError: there is none.
        """
        if name in self.columns:
            return self.columns[name]
        raise QueryError(
            "the table {table!r} of {run!r} has no column {name!r}; it has {names}",
            table=self.name,
            run=self.run,
            name=name,
            names=", ".join(map(repr, self.columns)),
        )

    def numbers(self, name: str) -> AnyArray:
        """A column of numbers or bools. Errors as of `column`, and if it holds texts.

        ``recall`` of a detection and ``accuracy`` of a labelling are made of the counts that tables have.
        """
        if name not in self.columns and {*_FRACTIONS.get(name, "?")} <= self.columns.keys():
            some, every = (self.numbers(part) for part in _FRACTIONS[name])
            with np.errstate(invalid="ignore", divide="ignore"):
                share = some / np.where(every > 0, every, np.nan)
            return np.asarray(1 - share if name == "accuracy" else share)
        found = self.column(name)
        if not isinstance(found, np.ndarray):
            raise QueryError("column {name!r} of {table!r} holds no numbers", name=name, table=self.name)
        return found

    def right(self, metric: str, limit: float | None, mode: str) -> Bools:
        """Samples that are right, as bools (n,): their metric is true, or reaches a limit.

        Raises:
            QueryError: no such column, or one of numbers without a limit.
        """
        values = self.numbers(metric)
        if limit is not None:
            return np.asarray(values >= limit if mode == "max" else values <= limit)
        return values.astype(np.bool_)


def predictions_of(run: Run, tag: str | None, step: int | float | None) -> PredictionTable:
    """The table of a run's evaluation; arguments and errors as of `Run.predictions`."""
    tables = run.logs.tables
    name = prediction_table(tables.names(), tag, run.name)
    columns = run.prediction_columns(step, tag)
    return PredictionTable(
        run.name, name, tables.files(name)[-1].step if step is None else step, columns, tables
    )
