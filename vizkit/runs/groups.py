"""Groups of runs that share hyper-parameters, with statistics over each group."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vizkit._language import tr
from vizkit.errors import QueryError
from vizkit.metrics.arrays import AnyArray
from vizkit.runs.dataframes import rows_frame
from vizkit.runs.intervals import align, by_x, column_statistics
from vizkit.runs.lookup import unknown
from vizkit.runs.query import MISSING
from vizkit.runs.query_names import key_values, sort_order
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import best_of_run, checked_mode

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.run import Run
    from vizkit.runs.runs import Runs

__all__ = ["Groups", "group_runs", "hashable"]

_TIME_POINTS = 500


def _mean_columns(runs: Sequence[Run], tag: str, on: Literal["step", "time"]) -> dict[str, AnyArray]:
    """The columns of `Groups.scalars` for one group."""
    series: list[tuple[AnyArray, AnyArray]] = []
    for run in runs:
        if tag in run.scalar_tags:
            columns = run.columns(tag)
            x = columns.steps if on == "step" else run.seconds(columns.walltimes)
            there = np.isfinite(x)  # where there is a time
            if there.any():
                series.append((x[there], columns.values[there]))
    if on == "step":
        grid = np.unique(np.concatenate([x for x, _ in series])) if series else np.empty(0)
    else:
        series = [by_x(x, y) for x, y in series]
        longest = max((x[-1] for x, _ in series), default=0.0)
        grid = np.unique(np.linspace(0, longest, _TIME_POINTS)) if series else np.empty(0)
    values, covered = align(series, grid.astype(np.float64))
    nan = (covered & np.isnan(values)).sum(axis=0)
    mean, std, n, low, high = column_statistics(values)
    x_name = "step" if on == "step" else "seconds"
    return {x_name: grid, "mean": mean, "std": std, "n": n, "nan": nan, "low": low, "high": high}


class Groups(Mapping[Hashable, "Runs"]):
    """Runs by the value of a hyper-parameter, or by tuples of values of several.

    Args:
        names: the names of the hyper-parameters.
        groups: value (or tuple of values) -> its runs, in order.
    """

    def __init__(self, names: Sequence[str], groups: Mapping[Hashable, Runs]) -> None:
        self.names = list(names)
        self._groups = dict(groups)

    def __getitem__(self, key: Hashable) -> Runs:
        found: Runs | None = self._groups.get(key)
        if found is not None:
            return found
        raise unknown(
            tr("group of {names},", names=", ".join(map(repr, self.names))), key, map(str, self._groups)
        )

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def label(self, key: Hashable) -> dict[str, Hashable]:
        """The values of a group by the names of its hyper-parameters."""
        values = key if isinstance(key, tuple) and len(self.names) > 1 else (key,)
        return dict(zip(self.names, values, strict=True))

    def _label_columns(self, key: Hashable, taken: Iterable[str]) -> dict[str, Hashable]:
        """The label as columns; ``hparams.name`` if another column has the name."""
        return {f"hparams.{n}" if n in taken else n: value for n, value in self.label(key).items()}

    def scalars(self, tag: str, on: Literal["step", "time"] = "step") -> pd.DataFrame:
        """Mean, standard deviation and confidence interval of a scalar tag in each group.

        On steps: at each step of any run. On time: at 500 points from 0 to the longest run, in seconds since
        the start of each run. Values between two records of a run are interpolated; outside of its records
        a run does not count.

        Returns:
            Columns: the hyper-parameters, ``step`` or ``seconds``, ``mean``, ``std`` (n - 1), ``n``, ``nan``
            (number of runs that are NaN there, not in the mean), ``low`` and ``high`` (95 %, Student's t).

        Raises:
            UnknownNameError: a tag that no run has.
            QueryError: another ``on``.
        """
        import pandas as pd

        if on not in ("step", "time"):
            raise QueryError("on must be 'step' or 'time', got {on!r}", on=on)
        with_tag((run for group in self.values() for run in group), tag)
        frames = []
        for key, group in self._groups.items():
            columns = _mean_columns(group, tag, on)
            if n := len(columns["n"]):
                label = {name: [value] * n for name, value in self._label_columns(key, columns).items()}
                frames.append(pd.DataFrame({**label, **columns}))
        return pd.concat(frames, ignore_index=True)

    def rows(self, metric: str, mode: str = "auto") -> list[dict[str, Any]]:
        """The content of `table`, a dict a group."""
        out = []
        mode = checked_mode([run for group in self._groups.values() for run in group], metric, mode)
        for key, group in self._groups.items():
            bests = [best for run in group if (best := best_of_run(run, metric, mode)) is not None]
            numbers = np.array(bests, dtype=np.float64)
            mean, std, _, low, high = (part.item() for part in column_statistics(numbers[:, None]))
            row = {"runs": len(group), "n": len(bests), "mean": mean, "low": low, "high": high, "std": std}
            row["min"] = float(numbers.min()) if bests else math.nan
            row["max"] = float(numbers.max()) if bests else math.nan
            out.append({**self._label_columns(key, row), **row})
        return out

    def table(self, metric: str, mode: str = "auto") -> pd.DataFrame:
        """One row a group: statistics of the best values of ``metric`` of its runs.

        Returns:
            The hyper-parameters, ``runs``, ``n`` (of them, those with the metric), ``mean``, ``low`` and
            ``high`` (95 % confidence interval of the mean, Student's t), ``std`` (n - 1), ``min``, ``max``.

        Raises:
            UnknownNameError: a metric that no run has.
            DataError: another mode, or a metric whose name does not tell which value is best.
        """
        with_tag((run for group in self.values() for run in group), metric)
        rows = self.rows(metric, mode)
        return rows_frame({str(i): row for i, row in enumerate(rows)}, "group").reset_index(drop=True)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{key!r}: {len(group)}" for key, group in list(self._groups.items())[:20])
        return f"<{len(self)} groups by {', '.join(map(repr, self.names))}; runs in each: {sizes}>"


def group_runs(
    runs: Sequence[Run], key: str | Sequence[str] | Callable[[Run], object]
) -> tuple[list[str], dict[Hashable, list[Run]]]:
    """Group runs by the value of a key, or by tuples of values of several; errors as of `Runs.group_by`.

    Returns:
        The names of the keys; value (None if a run lacks it) -> runs, in the order of the values.
    """
    keys = [key] if isinstance(key, str) or callable(key) else list(dict.fromkeys(key))
    if not keys:
        raise QueryError("group_by needs the name of a hyper-parameter, or several")
    columns = [[hashable(value) for value in key_values(runs, one)] for one in keys]
    labels = list(zip(*columns, strict=True))
    groups: dict[tuple[Hashable, ...], list[Run]] = {}
    for label, run in zip(labels, runs, strict=True):
        groups.setdefault(label, []).append(run)
    order = list(groups)
    for place in reversed(range(len(keys))):
        order = [order[index] for index in sort_order([label[place] for label in order])]
    names = [one if isinstance(one, str) else getattr(one, "__name__", "group") for one in keys]
    return names, {label if len(keys) > 1 else label[0]: groups[label] for label in order}


def hashable(value: object) -> Hashable:
    """A hyper-parameter's value as a key: None if it is missing, lists as tuples, all else as its text."""
    if value is MISSING:
        return None
    if isinstance(value, (list, tuple)):
        return tuple(map(hashable, value))
    return value if isinstance(value, Hashable) else str(value)
