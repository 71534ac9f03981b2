"""Statistics of scalar tags: first, last, smallest, largest, mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from vizkit.format.walltime import time_list
from vizkit.metrics.arrays import first_best
from vizkit.metrics.direction import direction, known_direction
from vizkit.reading import Scalars

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = [
    "BEST",
    "STATISTICS",
    "Point",
    "Summary",
    "best_of_each",
    "best_of_run",
    "checked_mode",
    "mode_in",
    "summarize",
]


class Point(NamedTuple):
    """One record of a scalar tag; ``walltime`` is milliseconds since 1970, None if it cannot be a time."""

    step: int | float
    value: float
    walltime: int | None


class Summary(NamedTuple):
    """The summary of a scalar tag.

    Attributes:
        n: number of records.
        nan: number of NaN records, which ``min``, ``max`` and ``mean`` leave out.
        first: the first record.
        last: the last record, NaN or not.
        min: the first record with the smallest value; None if all are NaN.
        max: the first record with the largest value; None if all are NaN.
        mean: the mean value; NaN if all are NaN.
        mode: the better direction that the run has declared, ``"min"`` or ``"max"``; empty if none.
    """

    n: int
    nan: int
    first: Point
    last: Point
    min: Point | None
    max: Point | None
    mean: float
    mode: str = ""

    def best(self, tag: str, mode: str = "auto") -> Point | None:
        """The best record: ``max`` or ``min``, by ``mode``; for ``"auto"`` as declared, or by its words.

        Raises:
            DataError: another mode, or a tag that does not tell which value is best.
        """
        wanted = self.mode if mode == "auto" and self.mode else mode
        return self.min if direction(tag, wanted) == "min" else self.max


def summarize(columns: Scalars) -> Summary:
    """Summarize a tag that has at least one record."""
    values = columns.values
    nan = int(np.isnan(values).sum())
    low = high = None
    mean = float("nan")
    if nan < len(values):
        low, high = _point(columns, first_best(values, "min")), _point(columns, first_best(values, "max"))
        with np.errstate(invalid="ignore", over="ignore"):  # +Inf and -Inf have no mean
            mean = float(np.nanmean(values))
    return Summary(len(values), nan, _point(columns, 0), _point(columns, -1), low, high, mean)


def _point(columns: Scalars, index: int) -> Point:
    (walltime,) = time_list(columns.walltimes[index : index + 1 or None])
    return Point(columns.steps[index].item(), float(columns.values[index]), walltime)


def _value(point: Point | None) -> float | None:
    return None if point is None else point.value


STATISTICS: dict[str, Callable[[Summary], float | None]] = {
    "last": lambda summary: summary.last.value,
    "first": lambda summary: summary.first.value,
    "min": lambda summary: _value(summary.min),
    "max": lambda summary: _value(summary.max),
    "mean": lambda summary: summary.mean,
    "best": lambda summary: _value(summary.best("")),
    "best_step": lambda summary: None if (best := summary.best("")) is None else best.step,
    "last_step": lambda summary: summary.last.step,
    "n": lambda summary: summary.n,
}
"""The statistics that may follow a tag in a filter: name -> function of the tag's summary, whose ``mode``
those of `BEST` need."""

BEST = ("best", "best_step")
"""The statistics that depend on which direction is better."""


def mode_in(runs: Iterable[Run], tag: str) -> Literal["", "min", "max"]:
    """The better direction of a scalar tag, ``"min"`` or ``"max"``: as a run has declared it
    (``metrics={"reward": "max"}``), or by the words of the tag; empty if neither tells.
    """
    for run in runs:
        if mode := run.logs.hparams.modes.get(tag):
            return mode
    return known_direction(tag)


def checked_mode(runs: Iterable[Run], tag: str, mode: str) -> Literal["min", "max"]:
    """``mode``, or for ``"auto"`` that of `mode_in`.

    Raises:
        DataError: another mode, or neither the runs nor the tag tell.
    """
    return direction(tag, mode if mode != "auto" else mode_in(runs, tag) or mode)


def best_of_run(run: Run, tag: str, mode: str = "auto") -> float | None:
    """The best value of a scalar tag; None if the run lacks the tag or all its values are NaN.

    Raises:
        DataError: another mode, or a tag that does not tell which value is best.
    """
    return _value(run.summary(tag).best(tag, mode)) if tag in run.scalar_tags else None


def best_of_each(runs: Iterable[Run], tag: str, mode: str = "auto") -> list[float]:
    """The best value of each run, NaN where there is none; errors as in `best_of_run`."""
    values = (best_of_run(run, tag, mode) for run in runs)
    return [float("nan") if value is None else value for value in values]
