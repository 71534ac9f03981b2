"""A run as plain data: for tables, JSON, the terminal and scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vizkit.runs.scalar_tags import shown_metrics
from vizkit.runs.statistics import mode_in

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["in_short", "overview", "row", "table_rows"]


def in_short(run: Run) -> dict[str, Any]:
    """Name, directory, status, times (ISO 8601), duration (seconds), hyper-parameters and labels of a run."""
    started, ended, duration = run.started, run.ended, run.duration  # of a running run each reads a file
    return {
        "name": run.name,
        "display_name": run.display_name,
        "directory": run.directory,
        "status": run.status,
        "started": None if started is None else started.isoformat(),
        "ended": None if ended is None else ended.isoformat(),
        "duration": None if duration is None else duration.total_seconds(),
        "hparams": run.hparams,
        "labels": run.labels,
        "archived": run.archived,
    }


def row(run: Run, metrics: Sequence[str] | None = None) -> dict[str, Any]:
    """`in_short`, and metrics.

    Args:
        run: the run.
        metrics: scalar tags; those that the run lacks are left out. By default those that it names, or all.

    Returns:
        Each metric has ``last``, ``last_step``, ``best``, ``best_step`` (None where it is not known which
        value is best), ``n``, ``nan``.
    """
    tags = shown_metrics([run]) if metrics is None else [tag for tag in metrics if tag in run.scalar_tags]
    return {**in_short(run), "metrics": {tag: _metric(run, tag) for tag in tags}}


def _metric(run: Run, tag: str) -> dict[str, float | None]:
    summary = run.summary(tag)
    best = summary.best(tag) if mode_in([run], tag) else None
    return {
        "last": summary.last.value,
        "last_step": summary.last.step,
        "best": None if best is None else best.value,
        "best_step": None if best is None else best.step,
        "n": summary.n,
        "nan": summary.nan,
    }


def overview(run: Run) -> dict[str, Any]:
    """All but the records of a run: `row` with every scalar tag, ``tags``, ``environment``, ``problems``
    (texts)."""
    return {
        **row(run, run.scalar_tags),
        "tags": run.tags,
        "note": run.note,
        "environment": run.environment,
        "problems": [problem.message for problem in run.problems],
    }


def table_rows(
    runs: Sequence[Run], tags: Sequence[str], mode: str | Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The rows of `Runs.table` by the names of the runs, for some scalar tags."""
    taken = {"status", "started", "duration"}
    taken |= {f"{tag}.{part}" for tag in tags for part in ("last", "best", "best_step")}
    return {run.name: _table_row(run, tags, mode, taken) for run in runs}


def _table_row(
    run: Run, tags: Sequence[str], mode: str | Mapping[str, str], taken: set[str]
) -> dict[str, Any]:
    row: dict[str, Any] = {"status": run.status, "started": run.started, "duration": run.duration}
    row |= {f"hparams.{name}" if name in taken else name: value for name, value in run.hparams.items()}
    for tag in tags:
        if tag in run.scalar_tags:
            summary = run.summary(tag)
            row[f"{tag}.last"] = summary.last.value
            wanted = mode if isinstance(mode, str) else mode.get(tag, "auto")
            if wanted != "auto" or mode_in([run], tag):
                best = summary.best(tag, wanted)
                row[f"{tag}.best"] = None if best is None else best.value
                row[f"{tag}.best_step"] = None if best is None else best.step
    return row
