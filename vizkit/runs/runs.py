"""Several runs: found by name, filtered, sorted, grouped, compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from vizkit.errors import DataError, QueryError, UnknownNameError
from vizkit.metrics.direction import direction
from vizkit.reading import Changes, LogRoot
from vizkit.runs import dataframes, export, tables
from vizkit.runs.comparison import Comparison, compared
from vizkit.runs.difference import differing, made_by
from vizkit.runs.groups import Groups
from vizkit.runs.importance import compute_importance
from vizkit.runs.lookup import find_name, in_order, is_pattern, like_name, matching, unknown, with_tag
from vizkit.runs.query import MISSING
from vizkit.runs.query_names import chosen, key_values, sort_order
from vizkit.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Runs"]


class Runs(export.Exported, Sequence[Run]):
    """Runs in an order, found by position, name or pattern.

    ``runs[0]`` and ``runs["lenet/run1"]`` are a run; a name may be a display name, the last parts of
    a path or its beginning, if it fits one run only. ``runs[2:5]`` and ``runs["lenet/*"]`` are `Runs`.

    Args:
        runs: the runs, of different names.
        where: where they are, for people.
    """

    def __init__(self, runs: Iterable[Run] = (), *, where: str = "") -> None:
        self._runs = list(runs)
        self._where = where
        self._root: LogRoot | None = None

    @classmethod
    def of(cls, root: LogRoot) -> Runs:
        """All the runs under a root, which `refresh` follows."""
        runs = cls(where=root.root)
        runs._root = root
        runs._adopt(root)
        return runs

    def _adopt(self, root: LogRoot) -> None:
        known = {id(run.logs): run for run in self._runs}
        named = _root_name(root)
        self._runs = []
        for position, (name, logs) in enumerate(root.runs.items()):
            run = known.get(id(logs)) or Run(named if name == "." else name, logs)
            run.position = position
            self._runs.append(run)

    def _some(self, runs: Iterable[Run]) -> Runs:
        return Runs(runs, where=self._where)

    def refresh(self) -> Changes:
        """Reads what was appended since; `load`'s runs take in new ones and drop those that are gone.

        What was chosen from them (a filter, a slice) stays those runs.

        Returns:
            Names of the runs that are new, gone, or have new records.
        """
        if self._root is None:
            return Changes([], [], [run.name for run in self._runs if run.refresh()])
        changes = self._root.refresh()
        self._adopt(self._root)
        named = _root_name(self._root)
        changes = Changes(*([named if name == "." else name for name in names] for names in changes))
        grown = set(changes.changed)
        for run in self._runs:
            if run.name in grown:
                run._forget()
        return changes

    # -- a sequence, and a mapping by name -------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The runs' names, in order."""
        return [run.name for run in self._runs]

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, key: int) -> Run: ...
    @overload
    def __getitem__(self, key: slice) -> Runs: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: int | slice | str) -> Any:
        if isinstance(key, str):
            names = self.names
            if key not in names and is_pattern(key):
                found = matching(key, names)
                if not found:
                    raise unknown("run that fits", key, names)
                return self._some(self._runs[index] for index in found)
            return self._runs[find_name(key, names, [run.display_name for run in self._runs])]
        if isinstance(key, slice):
            return self._some(self._runs[key])
        return self._runs[key]

    def __contains__(self, item: object) -> bool:
        return item in self._runs or item in self.names

    def keys(self) -> list[str]:
        """The runs' names, so that ``dict(runs)`` is name -> run."""
        return self.names

    def get(self, name: str, default: Any = None) -> Any:
        """``runs[name]``, or ``default`` where there is none such."""
        try:
            return self[name]
        except UnknownNameError:
            return default

    # -- what is in them -------------------------------------------------------------------------

    @property
    def scalar_tags(self) -> list[str]:
        """The scalar tags of all runs."""
        return in_order(tag for run in self._runs for tag in run.scalar_tags)

    @property
    def metrics(self) -> list[str]:
        """The tags that runs say they are compared by, or else all but ``system/`` and ``pace/``."""
        return tables.shown_metrics(self._runs)

    def scalars(self, tag: str | None = None, *, superseded: bool = False) -> pd.DataFrame:
        """Scalars of all runs that have them, one below the other.

        Args:
            tag: one tag; all of them by default.
            superseded: whether records that a resumed run replaced are there too.

        Returns:
            Columns ``run``, ``step``, ``time`` (UTC) and ``value``; ``tag`` after ``run`` when all are
            asked for.

        Raises:
            UnknownNameError: a tag that no run has.
        """
        if tag is not None:
            some = with_tag(self._runs, tag)
            parts = {(run.name,): run.columns(tag, superseded=superseded) for run in some}
            return dataframes.scalars_frame(parts, ("run",))
        every = {
            (run.name, name): run.columns(name, superseded=superseded)
            for run in self._runs
            for name in run.scalar_tags
        }
        return dataframes.scalars_frame(every, ("run", "tag"))

    def rows(
        self, metrics: Sequence[str] | None = None, mode: str | Mapping[str, str] = "auto"
    ) -> dict[str, dict[str, Any]]:
        """The content of `table`: name -> what is known of the run."""
        tags = self.metrics if metrics is None else list(metrics)
        for tag in tags if metrics is not None else ():
            with_tag(self._runs, tag)
        taken = {"status", "started", "duration"}
        taken |= {f"{tag}.{part}" for tag in tags for part in ("last", "best", "best_step")}
        return {run.name: _row(run, tags, mode, taken) for run in self._runs}

    def table(
        self, metrics: Sequence[str] | None = None, mode: str | Mapping[str, str] = "auto"
    ) -> pd.DataFrame:
        """One row a run.

        Args:
            metrics: scalar tags; by default those that the runs name, or else all.
            mode: which values are best: ``"max"``, ``"min"``, ``"auto"`` (by the words of each tag), or a
                dict of tag to mode.

        Returns:
            Indexed by name: ``status``, ``started`` (UTC), ``duration``; the hyper-parameters (one that is
            named as another column as ``hparams.name``); and of each metric ``tag.last``, ``tag.best``,
            ``tag.best_step``. The last two are absent for a tag of which it is not known what is best.

        Raises:
            UnknownNameError: a metric that no run has.
            DataError: a mode that is none.
        """
        return dataframes.rows_frame(self.rows(metrics, mode), "run")

    # -- choosing --------------------------------------------------------------------------------

    def filter(self, condition: str | Callable[[Run], Any]) -> Runs:
        """The runs for which a condition is true.

        A name in an expression is ``name``, ``display_name``, ``status``, ``started`` (seconds since 1970) or
        ``duration`` (seconds); or else a hyper-parameter, or a scalar tag (its last value). ``hparams.name``
        says that it is a hyper-parameter. Names with spaces or slashes stand in backquotes. After a tag may
        follow ``.last``, ``.first``, ``.min``, ``.max``, ``.mean``, ``.best``, ``.best_step``, ``.last_step``
        or ``.n``. A run that lacks what is compared is not chosen, unless by ``name is None``.

        Args:
            condition: such as ``"`batch size` == 64 and `eval/acc`.max > 0.9"``; or a function of a run.

        Raises:
            QueryError: not such an expression. It is taken apart and never run as Python.
            UnknownNameError: a name that no run has.
        """
        if callable(condition):
            return self._some(run for run in self._runs if condition(run))
        return self._some(chosen(self._runs, condition))

    def sort(self, key: str | Callable[[Run], Any], reverse: bool = False) -> Runs:
        """The runs in the order of a key; those without it last.

        Args:
            key: a name or an expression as in `filter`, or a function of a run.
            reverse: the greatest first.

        Raises:
            QueryError: not such an expression.
            UnknownNameError: a name that no run has.
        """
        order = sort_order(key_values(self._runs, key), reverse)
        return self._some(self._runs[index] for index in order)

    def best(self, tag: str, mode: str = "auto") -> Run:
        """The run with the best value of a scalar tag, at any step; the first of equal ones.

        Args:
            tag: the tag. Runs without it, or with nothing but NaN, are left out.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag.

        Raises:
            UnknownNameError: no run has the tag, or any number in it.
            DataError: another mode, or a tag that does not tell.
        """
        runs = with_tag(self._runs, tag)
        found = [(point, run) for run in runs if (point := run.summary(tag).best(tag, mode))]
        if not found:
            raise UnknownNameError(f"all values of {tag!r} are NaN, in every run")
        values = [point.value for point, _ in found]
        return found[int(np.argmin(values) if direction(tag, mode) == "min" else np.argmax(values))][1]

    def group_by(self, key: str | Sequence[str] | Callable[[Run], Any]) -> Groups:
        """Runs by the value of a hyper-parameter, of several, or of a function of a run.

        Args:
            key: a name or expression as in `filter`, a list of them, or a function. Runs without it are a
                group of their own, None.

        Raises:
            QueryError: not such an expression.
            UnknownNameError: a name that no run has.
        """
        keys: list[Any] = [key] if isinstance(key, str) or callable(key) else list(dict.fromkeys(key))
        if not keys:
            raise QueryError("group_by needs the name of a hyper-parameter, or several")
        columns = [[_hashable(value) for value in key_values(self._runs, one)] for one in keys]
        labels = list(zip(*columns, strict=True)) if len(keys) > 1 else columns[0]
        groups: dict[Any, list[Run]] = {}
        for label, run in zip(labels, self._runs, strict=True):
            groups.setdefault(label, []).append(run)
        order = list(groups)
        for place in reversed(range(len(keys))):
            values = [label[place] if len(keys) > 1 else label for label in order]
            order = [order[index] for index in sort_order(values)]
        names = [one if isinstance(one, str) else getattr(one, "__name__", "group") for one in keys]
        return Groups(names, {label: self._some(groups[label]) for label in order})

    # -- comparing -------------------------------------------------------------------------------

    def differences(self) -> dict[str, dict[str, list[Any]]]:
        """The content of `diff`: ``"hparams"`` and ``"environment"`` -> name -> value in each run.

        What a run lacks is `vizkit.runs.query.MISSING`. Runs of which no environment is known are not
        held to differ by that.
        """
        made = [made_by(run.environment) for run in self._runs]
        known = [index for index, row in enumerate(made) if row]
        other = differing([made[index] for index in known])
        spread: dict[str, list[Any]] = {}
        for name, values in other.items():
            spread[name] = [MISSING] * len(made)
            for index, value in zip(known, values, strict=True):
                spread[name][index] = value
        return {
            "hparams": differing([run.hparams for run in self._runs]),
            "environment": spread,
        }

    def diff(self) -> pd.DataFrame:
        """Only what differs: hyper-parameters, and how the runs were made (packages, git, command ...).

        Returns:
            One row for each name that differs, indexed by ``part`` (``hparams``, ``environment``) and
            ``name``; one column a run; None where a run lacks it.
        """
        import pandas as pd

        found = {(part, name): v for part, names in self.differences().items() for name, v in names.items()}
        index = (
            pd.MultiIndex.from_tuples(list(found), names=["part", "name"])
            if found
            else (pd.MultiIndex.from_arrays([[], []], names=["part", "name"]))
        )
        rows = [[None if value is MISSING else value for value in values] for values in found.values()]
        columns = {name: [row[i] for row in rows] for i, name in enumerate(self.names)}
        return pd.DataFrame(columns, index=index, dtype=object)

    def importance(self, metric: str, mode: str = "auto") -> pd.DataFrame:
        """Which hyper-parameter mattered for a metric: the share of its variance that each explains alone.

        Method, source and limits: `vizkit.runs.importance`. Runs without a finite best value are left out.

        Returns:
            Indexed by ``hparam``, the greatest first: ``importance`` (0 to 1, adjusted for chance), ``p``
            (how often runs shuffled at random explain as much), ``values``, ``n`` (runs), and
            ``together_with`` (what changed together with it, and cannot be told from it).

        Raises:
            UnknownNameError: no run has the metric.
            QueryError: fewer than four runs with a finite value.
            DataError: a mode that is none, or a metric whose name does not tell.
        """
        runs = with_tag(self._runs, metric)
        values = _bests(runs, metric, mode)
        kept = [(run, value) for run, value in zip(runs, values, strict=True) if np.isfinite(value)]
        if len(kept) < 4:
            raise QueryError(
                f"importance needs four runs or more with a finite {metric!r}; there are {len(kept)}"
            )
        made = [run.hparams for run, _ in kept]
        names = dict.fromkeys(name for row in made for name in row)
        hparams = {name: [row.get(name) for row in made] for name in names}
        found = compute_importance(hparams, [value for _, value in kept])
        rows = {
            item.name: {
                "importance": item.importance,
                "p": item.p,
                "values": item.values,
                "n": item.n,
                "together_with": ", ".join(item.with_),
            }
            for item in found
        }
        return dataframes.rows_frame(rows, "hparam")

    def compare(self, a: Any, b: Any, metric: str, mode: str = "auto") -> Comparison:
        """Whether B is better than A: the difference of the runs' best values, with its interval.

        Args:
            a: a run, runs, a run's name or pattern, or a filter expression.
            b: the same.
            metric: a scalar tag.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag.

        Returns:
            A `Comparison`, which says in words what it found. With one run on a side it has no interval.

        Raises:
            UnknownNameError: a name or tag that is not there.
            QueryError: not an expression, or a side without a number.
            DataError: a mode that is none, or a metric whose name does not tell.
        """
        with_tag(self._runs, metric)
        sides = [_bests(self._meant(side), metric, mode) for side in (a, b)]
        return compared(metric, sides[0], sides[1], mode)

    def _meant(self, side: Any) -> list[Run]:
        if isinstance(side, Run):
            return [side]
        if not isinstance(side, str):
            return list(side)
        try:
            found = self[side]
        except UnknownNameError as error:
            try:
                return chosen(self._runs, side)
            except (QueryError, UnknownNameError):
                if like_name(side):
                    raise error from None
                raise
        return [found] if isinstance(found, Run) else list(found)

    # -- drawing, exporting ----------------------------------------------------------------------

    def plot(self, tag: str, **options: Any) -> Any:
        """Draws a scalar tag of all runs; options and result as in `vizkit.plots.curves`."""
        from vizkit.plots import curves

        return curves(self, tag, **options)

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """A list of the runs as JSON, each as `Run.to_json` has it, into a file or returned as text."""
        return export.to_json([export.as_data(run) for run in self._runs], path)

    def __repr__(self) -> str:
        return tables.as_text(tables.runs_table(self._runs, self._where))

    def _repr_html_(self) -> str:
        return tables.as_html(tables.runs_table(self._runs, self._where))


def _root_name(root: LogRoot) -> str:
    """What a run is called whose logs lie in the root itself: as that directory."""
    if "." not in root.runs:
        return "."
    path = root.runs["."].directory.rstrip("/")
    name = path.rpartition("/")[2] if "://" in path else os.path.basename(os.path.abspath(path))
    return "." if not name or name in root.runs else name


def _row(run: Run, tags: Sequence[str], mode: str | Mapping[str, str], taken: set[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"status": run.status, "started": run.started, "duration": run.duration}
    row |= {f"hparams.{name}" if name in taken else name: value for name, value in run.hparams.items()}
    for tag in tags:
        if tag not in run.scalar_tags:
            continue
        summary = run.summary(tag)
        row[f"{tag}.last"] = summary.last.value
        wanted = mode if isinstance(mode, str) else mode.get(tag, "auto")
        try:
            best = summary.best(tag, wanted)
        except DataError:
            if wanted != "auto":
                raise
            continue
        row[f"{tag}.best"] = None if best is None else best.value
        row[f"{tag}.best_step"] = None if best is None else best.step
    return row


def _bests(runs: Iterable[Run], metric: str, mode: str) -> list[float]:
    """The best value of each run, NaN where it has none."""
    points = [run.summary(metric).best(metric, mode) if metric in run.scalar_tags else None for run in runs]
    return [float("nan") if point is None else point.value for point in points]


def _hashable(value: Any) -> Any:
    if value is MISSING:
        return None
    if isinstance(value, (list, tuple)):
        return tuple(map(_hashable, value))
    return value if getattr(value, "__hash__", None) else str(value)
