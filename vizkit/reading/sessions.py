"""Sessions of a run: which of its records count, and in which order.

A session is one process's stretch of a run; it begins with a mark in the log, or with a file of stock
VisualDL. Within a session all records of a tag count, sorted by step. A record at step s supersedes those
of earlier sessions at steps >= s, as when a run is resumed from a checkpoint. A session that starts again
at the beginning is a training of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizkit.columns.series import Series
from vizkit.format.tags import SECONDS
from vizkit.format.types import SessionMark
from vizkit.metrics.arrays import AnyArray

__all__ = ["TrainingStarts", "counting"]


def counting(steps: AnyArray, begins: Sequence[int]) -> NDArray[np.int64] | None:
    """The rows of a tag that count, by step; rows of one step stay in the order of writing.

    Args:
        steps: (n,) in the order of writing.
        begins: the row where each session begins, the first one 0.

    Returns:
        (m,) rows; None if all count as they stand.
    """
    rows = None
    if len(begins) > 1:
        least = np.minimum.reduceat(steps, begins)
        later = np.append(np.minimum.accumulate(least[:0:-1])[::-1], np.inf)  # of the sessions after each
        kept = steps < np.repeat(later, np.diff([*begins, len(steps)]))
        if not kept.all():
            rows = np.flatnonzero(kept)
            steps = steps[rows]
    if (steps[1:] >= steps[:-1]).all():
        return rows
    order = np.argsort(steps, kind="stable")
    return order if rows is None else rows[order]


class TrainingStarts:
    """The sessions that start a training anew; sessions are added in order.

    Attributes:
        found: numbers of the sessions with which trainings begin; 0 is the first.
    """

    def __init__(self) -> None:
        self.found = [0]
        self._first: dict[str, tuple[int | float, int]] = {}  # tag -> the training's first step and its time
        self._several: set[str] = set()  # tags that have more than one step

    def add(
        self, number: int, mark: SessionMark, begins: dict[str, tuple[Series, int, int]], *, other: bool
    ) -> None:
        """Add a session.

        Args:
            number: its number.
            mark: its mark.
            begins: scalar tag -> its series, first row and the row behind its last one.
            other: True if it has other hyper-parameters than the one before.
        """
        begins = {tag: rows for tag, rows in begins.items() if not tag.startswith(SECONDS)}
        common = [tag for tag in begins if tag in self._several]
        again = any(self._starts_again(tag, *begins[tag][:2]) for tag in common)
        if mark != SessionMark.RESUMES and common and (again or other):
            self.found.append(number)
            self._first, self._several = {}, set()
        for tag, (series, start, end) in begins.items():
            first = series.step(start), series.walltime(start)
            known = self._first.get(tag, first)
            if first[0] != series.step(end - 1) or first[0] != known[0]:
                self._several.add(tag)
            self._first[tag] = min(first, known)

    def _starts_again(self, tag: str, series: Series, row: int) -> bool:
        """True if a session begins no later than the training did; a copy of it has the same times."""
        step, walltime = self._first[tag]
        return series.step(row) <= step and series.walltime(row) != walltime
