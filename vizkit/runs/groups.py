"""Runs that share a hyper-parameter, and what they have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import QueryError
from vizkit.runs.dataframes import rows_frame
from vizkit.runs.lookup import unknown, with_tag
from vizkit.runs.statistics import align, column_statistics, mean_interval

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.run import Run
    from vizkit.runs.runs import Runs

__all__ = ["Groups", "MeanCurve", "mean_curve"]

_TIME_POINTS = 500


class MeanCurve(NamedTuple):
    """A metric over several runs; arrays of shape (points,).

    Attributes:
        x: steps, or seconds since each run's start.
        mean, std: over the runs that have a number there; ``std`` with n - 1.
        n: how many these are.
        nan: how many more are there, with NaN.
        low, high: the 95 % interval of the mean (Student's t); NaN for fewer than two runs.
    """

    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    n: NDArray[np.int64]
    nan: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def mean_curve(runs: Sequence[Run], tag: str, on: Literal["step", "time"] = "step") -> MeanCurve:
    """Mean, deviation and interval of a tag over runs.

    Steps: all that any run has. Time: 500 places from 0 to the longest run, in seconds since each run's
    start. A run's value between two of its records is interpolated; outside of them it does not count.

    Args:
        runs: those that lack the tag are left out.
        tag: a scalar tag.
        on: what they are aligned on.

    Raises:
        QueryError: another ``on``.
    """
    if on not in ("step", "time"):
        raise QueryError(f"on must be 'step' or 'time', got {on!r}")
    series: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for run in runs:
        if tag in run.scalar_tags:
            columns = run.columns(tag)
            x = columns.steps if on == "step" else run.seconds(columns.walltimes)
            series.append((x, columns.values))
    if on == "step":
        grid = np.unique(np.concatenate([x for x, _ in series])) if series else np.empty(0)
    else:
        series = [(np.maximum.accumulate(x), y) for x, y in series]  # a clock may have been set back
        longest = max((x[-1] for x, _ in series), default=0.0)
        grid = np.unique(np.linspace(0, longest, _TIME_POINTS)) if series else np.empty(0)
    values, covered = align(series, grid.astype(np.float64))
    nan = (covered & np.isnan(values)).sum(axis=0)
    mean, std, n, low, high = column_statistics(values)
    return MeanCurve(grid, mean, std, n, nan, low, high)


class Groups(Mapping[Any, "Runs"]):
    """Runs by the value of a hyper-parameter; by tuples of values for several ones.

    Args:
        names: the hyper-parameters' names.
        groups: value (or tuple of values) -> its runs, in order.
    """

    def __init__(self, names: Sequence[str], groups: Mapping[Any, Runs]) -> None:
        self.names = list(names)
        self._groups = dict(groups)

    def __getitem__(self, key: Any) -> Runs:
        found: Runs | None = self._groups.get(key)
        if found is not None:
            return found
        raise unknown(f"group of {', '.join(map(repr, self.names))},", key, map(str, self._groups))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def _labels(self, key: Any, taken: Iterable[str]) -> dict[str, Any]:
        """The group's columns; ``hparams.name`` where there is another column of that name."""
        values = key if len(self.names) > 1 else (key,)
        names = [f"hparams.{name}" if name in taken else name for name in self.names]
        return dict(zip(names, values, strict=True))

    def scalars(self, tag: str, on: Literal["step", "time"] = "step") -> pd.DataFrame:
        """Mean, deviation and confidence band of a tag in each group.

        Aligned as `mean_curve` says: at every step of any run, or in seconds since each run's start.

        Returns:
            Columns: the hyper-parameters, ``step`` or ``seconds``, ``mean``, ``std`` (n - 1), ``n``, ``nan``
            (runs that are NaN there, not in the mean), ``low`` and ``high`` (95 %, Student's t).

        Raises:
            UnknownNameError: a tag that no run has.
            QueryError: another ``on``.
        """
        import pandas as pd

        with_tag((run for group in self.values() for run in group), tag)
        frames = []
        for key, group in self._groups.items():
            band = mean_curve(group, tag, on)._asdict()
            band = {"step" if on == "step" else "seconds": band.pop("x"), **band}
            order = [next(iter(band)), "mean", "std", "n", "nan", "low", "high"]
            frame = pd.DataFrame({column: band[column] for column in order})
            for place, (name, value) in enumerate(self._labels(key, order).items()):
                frame.insert(place, name, [value] * len(frame))
            if len(frame):
                frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def rows(self, metric: str, mode: str = "auto") -> list[dict[str, Any]]:
        """The content of `table`, a dict a group."""
        out = []
        for key, group in self._groups.items():
            bests = [
                point.value
                for run in group
                if metric in run.scalar_tags and (point := run.summary(metric).best(metric, mode))
            ]
            numbers = np.array(bests, dtype=np.float64)
            interval = mean_interval(numbers) if bests else (math.nan,) * 3
            std = float(numbers.std(ddof=1)) if len(bests) > 1 else math.nan
            row = {
                "runs": len(group),
                "n": len(bests),
                **dict(zip(("mean", "low", "high"), interval, strict=True)),
                "std": std,
                "min": float(numbers.min()) if bests else math.nan,
                "max": float(numbers.max()) if bests else math.nan,
            }
            out.append({**self._labels(key, row), **row})
        return out

    def table(self, metric: str, mode: str = "auto") -> pd.DataFrame:
        """One row a group: each run's best value of ``metric``, over the group's runs.

        Returns:
            The hyper-parameters, ``runs``, ``n`` (of them, those with the metric), ``mean``, ``low`` and
            ``high`` (95 % interval of the mean, Student's t), ``std`` (n - 1), ``min``, ``max``.

        Raises:
            UnknownNameError: a metric that no run has.
            DataError: a mode that is none, or a metric whose name does not tell.
        """
        with_tag((run for group in self.values() for run in group), metric)
        rows = self.rows(metric, mode)
        return rows_frame({str(i): row for i, row in enumerate(rows)}, "group").reset_index(drop=True)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{key!r}: {len(group)}" for key, group in list(self._groups.items())[:20])
        return f"<{len(self)} groups by {', '.join(map(repr, self.names))}; runs in each: {sizes}>"
