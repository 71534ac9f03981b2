"""The best values of runs, NaN or None where a run has none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["best_of_each", "best_of_run"]


def best_of_run(run: Run, tag: str, mode: str = "auto") -> float | None:
    """The best value of a scalar tag; None if the run lacks the tag or all its values are NaN.

    Raises:
        DataError: another mode, or a tag that does not tell which value is best.
    """
    if tag not in run.scalar_tags:
        return None
    point = run.summary(tag).best(tag, mode)
    return None if point is None else point.value


def best_of_each(runs: Iterable[Run], tag: str, mode: str = "auto") -> list[float]:
    """The best value of each run, NaN where there is none; errors as in `best_of_run`."""
    values = (best_of_run(run, tag, mode) for run in runs)
    return [float("nan") if value is None else value for value in values]
