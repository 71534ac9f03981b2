"""The x axis of curves: steps, epochs or times of the records of a run."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vizkit.errors import DataError
from vizkit.format.tags import EPOCH, SECONDS
from vizkit.format.walltime import NO_TIME
from vizkit.metrics.arrays import AnyArray, Floats
from vizkit.reading import Scalars
from vizkit.runs import Run

__all__ = ["X", "epochs", "time_unit", "x_and_values"]

X = Literal["step", "time", "epoch", "relative"]

_UNITS = ((180.0, 1.0, "s"), (180.0 * 60, 60.0, "min"), (72.0 * 3600, 3600.0, "h"))
_LONGEST_UNIT = (86400.0, "days")


def x_and_values(run: Run, tag: str, x: X) -> tuple[Floats, Floats]:
    """The records of a scalar tag: x (times in seconds) and values, both (n,).

    On a time axis, records without a time are left out.

    Raises:
        DataError: ``x`` is ``"epoch"``, and the run does not record epochs.
    """
    columns = run.columns(tag)
    if x in ("time", "relative") and not (there := columns.walltimes != NO_TIME).all():
        columns = Scalars(*(column[there] for column in columns))
    if x == "step":
        found = columns.steps
    elif x == "epoch":
        found = epochs(run, _training_steps(run, columns) if tag.startswith(SECONDS) else columns.steps)
    elif x == "time":
        found = run.seconds(columns.walltimes)
    else:
        found = (columns.walltimes - columns.walltimes[:1]) / 1000
    return np.asarray(found, dtype=np.float64), columns.values


def epochs(run: Run, steps: AnyArray) -> Floats:
    """The number of epochs passed at each step, with fractions.

    Each change of the scalar ``train/epoch`` begins an epoch, also if it counts from 0 again. Fractions
    are shares of its records; in the current epoch, shares of the longest epoch before.

    Raises:
        DataError: the run has no ``train/epoch``.
    """
    if EPOCH not in run.scalar_tags:
        raise DataError(
            "{name} has no scalar {epoch!r} that tells its epochs; use x='step'", name=run.name, epoch=EPOCH
        )
    columns = run.columns(EPOCH)
    number = np.concatenate(([0], np.cumsum(np.diff(columns.values) != 0)))
    lengths = np.bincount(number)
    within = np.arange(len(number)) - np.concatenate(([0], np.cumsum(lengths)))[number] + 1
    lengths[-1] = lengths.max()
    passed = np.concatenate(([0.0], number + within / lengths[number]))
    return passed[np.searchsorted(columns.steps, steps, side="right")]


def _training_steps(run: Run, columns: Scalars) -> AnyArray:
    """The training's steps at the times of records whose own steps are seconds; -1 before the first."""
    if EPOCH not in run.scalar_tags:
        return columns.steps
    epoch = run.columns(EPOCH)
    return np.append(-1, epoch.steps)[np.searchsorted(epoch.walltimes, columns.walltimes, side="right")]


def time_unit(longest: float) -> tuple[float, str]:
    """The unit to show times of up to ``longest`` seconds in: its seconds and its name."""
    return next(((seconds, unit) for most, seconds, unit in _UNITS if longest < most), _LONGEST_UNIT)
