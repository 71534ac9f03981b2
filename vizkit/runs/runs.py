"""Several runs: loaded, found by name, filtered, sorted, grouped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from vizkit.errors import UnknownNameError
from vizkit.metrics.arrays import first_best
from vizkit.reading import Changes, LogRoot
from vizkit.runs._comparing import Comparing
from vizkit.runs._plotting import Plottable
from vizkit.runs.dataframes import rows_frame, scalars_frame
from vizkit.runs.details import table_rows
from vizkit.runs.display import Table, as_html, as_text, runs_table
from vizkit.runs.export import Exported, as_data
from vizkit.runs.foreign import foreign_logs, unlisted_note
from vizkit.runs.groups import Groups, group_runs
from vizkit.runs.lookup import find_runs
from vizkit.runs.palette_places import places_of_runs
from vizkit.runs.query_names import chosen, key_values, sort_order
from vizkit.runs.run import Run
from vizkit.runs.saved_views import Views
from vizkit.runs.scalar_tags import in_order, shown_metrics, with_tag
from vizkit.runs.statistics import best_of_each, checked_mode

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Runs", "load"]

_Default = TypeVar("_Default")


class Runs(Exported, Plottable, Comparing):
    """Runs in an order, found by position, name or pattern.

    ``runs[0]`` and ``runs["lenet/run1"]`` are a run; a name may be a display name, the last parts of
    a path or its beginning, if only one run matches. ``runs[2:5]`` and ``runs["lenet/*"]`` are `Runs`.

    Args:
        runs: the runs, of different names.
        where: the directory to show in titles.
    """

    def __init__(self, runs: Iterable[Run] = (), *, where: str = "") -> None:
        self._runs = list(runs)
        self._where = where
        self._root: LogRoot | None = None
        self._loaded: Sequence[Run] | None = None

    @classmethod
    def of(cls, root: LogRoot) -> Runs:
        """All runs under a root, which `refresh` follows."""
        runs = cls(where=root.root)
        runs._root = root
        runs._adopt(root)
        return runs

    def _adopt(self, root: LogRoot) -> None:
        known = {id(run.logs): run for run in self._runs}
        named = _root_name(root)
        self._runs = []
        for name, logs in root.runs.items():
            self._runs.append(known.get(id(logs)) or Run(named if name == "." else name, logs))
        for run, place in zip(self._runs, places_of_runs(self._runs), strict=True):
            run.position = place

    def _some(self, runs: Iterable[Run]) -> Runs:
        some = Runs(runs, where=self._where)
        some._loaded = self.loaded
        return some

    @property
    def loaded(self) -> Sequence[Run]:
        """All runs that these were chosen from."""
        return self._runs if self._loaded is None else self._loaded

    @property
    def root(self) -> str | None:
        """The directory that `load` read, whose runs these all are; None for runs that were chosen."""
        return None if self._root is None else self._root.root

    @property
    def unlisted(self) -> list[str]:
        """The directories below that of `load` that may not be listed, whose runs are missing."""
        return [] if self._root is None else list(self._root.unlisted)

    @property
    def views(self) -> Views:
        """The workspace's saved views of this directory, name -> query, to be read, set and deleted."""
        return Views(self._where)

    def refresh(self) -> Changes:
        """Read what was appended since; the runs of `load` also gain new ones and lose those that are gone.

        Runs chosen from them (a filter, a slice) stay the same runs.

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
                run.forget()
        return changes

    # -- a sequence, and a mapping by name -------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The names of the runs, in order."""
        return [run.name for run in self._runs]

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, key: int) -> Run: ...
    @overload
    def __getitem__(self, key: slice) -> Runs: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...  # noqa: ANN401  (a run, or the runs that fit a pattern)
    def __getitem__(self, key: int | slice | str) -> Run | Runs:
        if isinstance(key, str):
            found = find_runs(key, self._runs)
            return self._some(found) if isinstance(found, list) else found
        if isinstance(key, slice):
            return self._some(self._runs[key])
        return self._runs[key]

    def __contains__(self, item: object) -> bool:
        return item in self._runs or item in self.names

    def keys(self) -> list[str]:
        """The names of the runs, so that ``dict(runs)`` maps names to runs."""
        return self.names

    def get(self, name: str, default: _Default | None = None) -> Run | Runs | _Default | None:
        """``runs[name]``, or ``default`` if no run matches."""
        try:
            found: Run | Runs = self[name]
        except UnknownNameError:
            return default
        return found

    # -- scalars and tables ----------------------------------------------------------------------

    @property
    def scalar_tags(self) -> list[str]:
        """The scalar tags of all runs."""
        return in_order(tag for run in self._runs for tag in run.scalar_tags)

    @property
    def metrics(self) -> list[str]:
        """The tags that runs are compared by, or else all but ``system/`` and ``pace/``."""
        return shown_metrics(self._runs)

    def scalars(self, tag: str | None = None, *, superseded: bool = False) -> pd.DataFrame:
        """Scalars of all runs that have them, one below the other.

        Args:
            tag: one tag; all of them by default.
            superseded: include records that a resumed run replaced.

        Returns:
            Columns ``run``, ``step``, ``time`` (UTC) and ``value``; ``tag`` comes after ``run`` if all tags
            are returned.

        Raises:
            UnknownNameError: a tag that no run has.
        """
        if tag is not None:
            some = with_tag(self._runs, tag)
            parts = {(run.name,): run.columns(tag, superseded=superseded) for run in some}
            return scalars_frame(parts, ("run",))
        every = {
            (run.name, name): run.columns(name, superseded=superseded)
            for run in self._runs
            for name in run.scalar_tags
        }
        return scalars_frame(every, ("run", "tag"))

    def rows(
        self, metrics: Sequence[str] | None = None, mode: str | Mapping[str, str] = "auto"
    ) -> dict[str, dict[str, Any]]:
        """The content of `table`: name -> row."""
        tags = self.metrics if metrics is None else list(metrics)
        for tag in tags if metrics is not None else ():
            with_tag(self._runs, tag)
        return table_rows(self._runs, tags, mode)

    def table(
        self, metrics: Sequence[str] | None = None, mode: str | Mapping[str, str] = "auto"
    ) -> pd.DataFrame:
        """One row a run.

        Args:
            metrics: scalar tags; by default those that the runs name, or else all.
            mode: the values that are best: ``"max"``, ``"min"``, ``"auto"`` (by the words of each tag), or a
                dict of tag to mode.

        Returns:
            Indexed by name: ``status``, ``started`` (UTC), ``duration``; the hyper-parameters (one with the
            name of another column as ``hparams.name``); and for each metric ``tag.last``, ``tag.best``,
            ``tag.best_step``. The last two are absent for a tag that does not tell which value is best.

        Raises:
            UnknownNameError: a metric that no run has.
            DataError: another mode.
        """
        return rows_frame(self.rows(metrics, mode), "run")

    # -- choosing --------------------------------------------------------------------------------

    def filter(self, condition: str | Callable[[Run], object]) -> Runs:
        """The runs for which a condition is true.

        A name in an expression is ``name``, ``display_name``, ``status``, ``started`` (seconds since 1970),
        ``duration`` (seconds), ``labels``, ``note`` or ``archived``; or else a hyper-parameter, or a scalar
        tag (its last value). ``hparams.name`` is always a hyper-parameter. Names with spaces or slashes
        stand in backquotes. A tag may be followed by ``.last``, ``.first``, ``.min``, ``.max``, ``.mean``,
        ``.best``, ``.best_step``, ``.last_step`` or ``.n``. A run that lacks a name matches only ``name is
        None``; any other comparison excludes it. Which value is best is what the run has declared, or
        else the other runs, or the words of the tag; where all that fails, in one run, it lacks a best.

        Args:
            condition: such as ``"`batch size` == 64 and `eval/acc`.max > 0.9"``; or a function of a run.

        Raises:
            QueryError: not such an expression. Expressions are parsed and never executed as Python.
            UnknownNameError: a name that no run has.
        """
        if callable(condition):
            return self._some(run for run in self._runs if condition(run))
        return self._some(chosen(self._runs, condition))

    def sort(self, key: str | Callable[[Run], object], reverse: bool = False) -> Runs:
        """The runs in the order of a key; those without it come last.

        Args:
            key: a name or an expression as in `filter`, or a function of a run.
            reverse: sort in descending order.

        Raises:
            QueryError: not such an expression.
            UnknownNameError: a name that no run has.
        """
        order = sort_order(key_values(self._runs, key), reverse)
        return self._some(self._runs[index] for index in order)

    def best(self, tag: str, mode: str = "auto") -> Run:
        """The run with the best value of a scalar tag, at any step; the first of equal ones.

        Args:
            tag: the tag. Runs without it, or with only NaN, are left out.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag.

        Raises:
            UnknownNameError: no run has the tag, or all values are NaN.
            DataError: another mode, or a tag that does not tell which value is best.
        """
        runs = with_tag(self._runs, tag)
        way = checked_mode(runs, tag, mode)
        values = best_of_each(runs, tag, way)
        if np.isnan(values).all():
            raise UnknownNameError("all values of {tag!r} are NaN, in every run", tag=tag)
        return runs[first_best(np.asarray(values), way)]

    def group_by(self, key: str | Sequence[str] | Callable[[Run], object]) -> Groups:
        """Runs by the value of a hyper-parameter, of several, or of a function of a run.

        Args:
            key: a name or expression as in `filter`, a list of them, or a function. Runs without it are in
                the group None.

        Raises:
            QueryError: not such an expression.
            UnknownNameError: a name that no run has.
        """
        names, groups = group_runs(self._runs, key)
        return Groups(names, {label: self._some(runs) for label, runs in groups.items()})

    # -- exporting, printing ---------------------------------------------------------------------

    def _as_data(self) -> object:
        return [as_data(run) for run in self._runs]

    def _table(self) -> Table:
        table = runs_table(self._runs, self._where)
        about = unlisted_note(self.unlisted)
        if self._root is not None and not self._runs:
            about = about or foreign_logs(self._where)
        return table._replace(notes=[*table.notes, about]) if about else table

    def __repr__(self) -> str:
        return as_text(self._table())

    def _repr_html_(self) -> str:
        return as_html(self._table())


def load(logdir: str | os.PathLike[str] = "log") -> Runs:
    """Load all runs under a directory, written by VizKit or by VisualDL.

    Args:
        logdir: a directory of runs, at any depth; one run's directory; one log file; or a remote
            directory with a scheme (``s3://``).

    Returns:
        The runs in natural order, named by their paths below ``logdir``; empty if it holds no log.

    Raises:
        LogNotFoundError: no such directory or file.
    """
    return Runs.of(LogRoot(logdir))


def _root_name(root: LogRoot) -> str:
    """The name of a run whose logs lie in the root itself: that of the directory."""
    if "." not in root.runs:
        return "."
    path = root.runs["."].directory.rstrip("/")
    name = path.rpartition("/")[2] if "://" in path else os.path.basename(os.path.abspath(path))
    return "." if not name or name in root.runs else name
