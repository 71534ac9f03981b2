"""The x axis of curves: steps, epochs or times of the records of a run, or another tag's values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np

from vizkit._checks import describe
from vizkit._language import mark
from vizkit.curves.expressions import computed
from vizkit.errors import DataError
from vizkit.format.tags import EPOCH, SECONDS
from vizkit.format.walltime import NO_TIME
from vizkit.metrics.arrays import AnyArray, Floats
from vizkit.reading import Scalars
from vizkit.runs import Run

__all__ = ["X_LABELS", "X", "check_x", "epochs", "time_unit", "x_and_values", "x_of"]

X = str
"""``"step"``, ``"epoch"``, ``"time"`` since the run's start, ``"relative"``: since the tag's first record,
``"walltime"``: seconds since 1970; or a scalar tag, whose values at the same steps are x."""

X_LABELS = {
    "step": mark("step"),
    "epoch": mark("epoch"),
    "time": mark("time since the start"),
    "relative": mark("time since the first record"),
    "walltime": mark("time of day"),
    "seconds": mark("seconds"),
}
"""What stands at an x axis, to be translated; ``"seconds"``: the steps of what is recorded by the clock."""

_Named = Literal["step", "time", "epoch", "relative", "walltime"]
_NAMED = get_args(_Named)

_UNITS = ((180.0, 1.0, "s"), (180.0 * 60, 60.0, "min"), (72.0 * 3600, 3600.0, "h"))
_LONGEST_UNIT = (86400.0, "days")


def check_x(runs: Iterable[Run], x: X) -> None:
    """Check that x is an axis, or a tag of one of the runs.

    Raises:
        DataError: it is neither.
    """
    if x not in _NAMED and not any(x in run.scalar_tags for run in runs):
        named = ", ".join(_NAMED)
        raise DataError(
            "x must be {named} or a scalar tag of these runs, got {x}", named=named, x=describe(x)
        )


def x_and_values(run: Run, tag: str, x: X) -> tuple[Floats, Floats]:
    """The records of a scalar tag, or of an expression: x (times in seconds) and values, both (n,).

    Records without an x are left out: without a time, or at steps where the other tag has no finite value.

    Raises:
        DataError: ``x`` is ``"epoch"``, and the run does not record epochs; an expression that is none.
        UnknownNameError: the run has no such tag.
    """
    one = computed(run, tag)
    columns = one.columns
    found = np.asarray(x_of(run, one.tag, columns, x), dtype=np.float64)
    if (there := np.isfinite(found)).all():
        return found, columns.values
    return found[there], columns.values[there]


def x_of(run: Run, tag: str, columns: Scalars, x: X) -> AnyArray:
    """The x (n,) of the columns of a scalar tag, NaN where there is none; errors as in `x_and_values`."""
    if x == "step":
        return columns.steps
    if x == "epoch":
        return epochs(run, _training_steps(run, columns) if tag.startswith(SECONDS) else columns.steps)
    if x in ("time", "relative", "walltime"):
        return _seconds(run, columns, x)
    other = run.columns(x)
    place = np.searchsorted(other.steps, columns.steps, side="right") - 1  # the last one at a step counts
    same = (place >= 0) & (other.steps[place] == columns.steps)
    return np.where(same & np.isfinite(other.values[place]), other.values[place], np.nan)


def _seconds(run: Run, columns: Scalars, x: X) -> Floats:
    if x == "time":
        return run.seconds(columns.walltimes)
    there = columns.walltimes != NO_TIME
    first = columns.walltimes[there].min() if x == "relative" and there.any() else 0
    if there.all():
        return (columns.walltimes - first) / 1000
    return np.where(there, (np.where(there, columns.walltimes, first) - first) / 1000, np.nan)


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
