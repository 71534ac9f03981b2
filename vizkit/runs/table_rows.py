"""The rows of `Runs.table`: status, times, hyper-parameters and metrics of each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vizkit.errors import DataError

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["table_rows"]


def table_rows(
    runs: Sequence[Run], tags: Sequence[str], mode: str | Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Name of a run -> its row.

    Args:
        runs: the runs.
        tags: scalar tags.
        mode: as in `Runs.table`.
    """
    taken = {"status", "started", "duration"}
    taken |= {f"{tag}.{part}" for tag in tags for part in ("last", "best", "best_step")}
    return {run.name: _row(run, tags, mode, taken) for run in runs}


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
