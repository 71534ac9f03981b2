"""What is known of a run, as plain data: for the terminal, and for whoever asks from Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vizkit.errors import DataError, UnknownNameError
from vizkit.runs.export import in_short
from vizkit.runs.run import Run
from vizkit.runs.tables import shown_metrics

__all__ = ["Line", "Recent", "newest", "overview", "row"]


def newest(runs: Sequence[Run]) -> Run:
    """The run that was started, or resumed, last.

    Raises:
        UnknownNameError: there is no run.
    """
    if not runs:
        raise UnknownNameError("there is no run")

    def started(run: Run) -> float:
        known = run.environment.get("started")
        if isinstance(known, int):
            return known / 1000
        return 0.0 if run.started is None else run.started.timestamp()

    return max(reversed(runs), key=started)


def row(run: Run, metrics: Sequence[str] | None = None) -> dict[str, Any]:
    """A run in short: name, directory, status, times, hyper-parameters, metrics.

    Args:
        run: the run.
        metrics: scalar tags; those that it has not are left out. By default those that it names, or all.

    Returns:
        Times are texts of ISO 8601, ``duration`` is in seconds. Each metric has ``last``, ``last_step``,
        ``best``, ``best_step`` (None where it is not known what is best), ``n``, ``nan``.
    """
    tags = shown_metrics([run]) if metrics is None else [tag for tag in metrics if tag in run.scalar_tags]
    return {**in_short(run), "metrics": {tag: _metric(run, tag) for tag in tags}}


def _metric(run: Run, tag: str) -> dict[str, Any]:
    summary = run.summary(tag)
    try:
        best = summary.best(tag, "auto")
    except DataError:  # the name does not tell which way is better
        best = None
    return {
        "last": summary.last.value,
        "last_step": summary.last.step,
        "best": None if best is None else best.value,
        "best_step": None if best is None else best.step,
        "n": summary.n,
        "nan": summary.nan,
    }


def overview(run: Run) -> dict[str, Any]:
    """All that is known of a run but its records: `row` with every scalar tag, ``tags``, ``environment``,
    ``problems`` (texts)."""
    return {
        **row(run, run.scalar_tags),
        "tags": run.tags,
        "environment": run.environment,
        "problems": [problem.message for problem in run.problems],
    }


class Line(NamedTuple):
    """One record of a scalar tag; ``walltime`` is milliseconds since 1970."""

    walltime: int
    step: int | float
    tag: str
    value: float


class Recent:
    """A run's scalars in the order in which they were recorded, as they come.

    Args:
        run: the run.
        tags: scalar tags; by default those that it is compared by, or all, new ones too.

    Raises:
        UnknownNameError: no scalars of a tag.
    """

    def __init__(self, run: Run, tags: Sequence[str] = ()) -> None:
        self._run = run
        self._tags = list(tags)
        self._taken: dict[str, int] = {}
        for tag in tags:
            run.columns(tag)

    def take(self, most: int | None = None) -> list[Line]:
        """The records since the last call, the last ``most`` of them."""
        found: list[Line] = []
        for tag in self._tags or shown_metrics([self._run]):
            if tag not in self._run.scalar_tags:
                continue  # its log was replaced
            columns = self._run.columns(tag, superseded=True)
            n = len(columns.values)
            start = self._taken.get(tag, 0)
            start = 0 if start > n else start
            self._taken[tag] = n
            if most is not None:
                start = max(start, n - most)
            lists = (np.asarray(column[start:]).tolist() for column in columns)
            found += [Line(walltime, step, tag, value) for step, walltime, value in zip(*lists, strict=True)]
        found.sort(key=lambda line: (line.walltime, line.step))
        return found if most is None else found[max(len(found) - most, 0) :]
