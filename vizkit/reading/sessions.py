"""Sessions of a run: which of its records count, and in which order.

A session is one process's stretch of a run; it begins with a mark in the log, or with a file of stock
VisualDL. Within a session all records of a tag count, sorted by step. A record at step s supersedes those
of earlier sessions at steps >= s, as when a run is resumed from a checkpoint; a straggler does not: a record
that came late, or has a broken step. A session that starts again at the beginning is a training of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizkit.format.types import SessionMark
from vizkit.metrics.arrays import AnyArray, Ints

__all__ = ["Begin", "TrainingStarts", "counting"]


def counting(steps: AnyArray, begins: Sequence[int]) -> NDArray[np.int64] | None:
    """The rows of a tag that count, by step; rows of one step stay in the order of writing.

    Args:
        steps: (n,) in the order of writing.
        begins: the row where each session begins, the first one 0.

    Returns:
        (m,) rows; None if all count as they stand.
    """
    drops = (steps[1:] < steps[:-1]).nonzero()[0] + 1
    if not len(drops) and all(steps.item(row - 1) < steps.item(row) for row in begins[1:]):
        return None
    rows = None
    if len(begins) > 1:
        least = np.minimum.reduceat(_without_stragglers(steps, begins, drops), begins)
        later = np.minimum.accumulate(least[:0:-1])[::-1]  # of the sessions after each but the last
        last = begins[-1]
        kept = steps[:last] < later.repeat([end - begin for begin, end in pairwise(begins)])
        if not kept.all():
            rows = np.concatenate([kept.nonzero()[0], np.arange(last, len(steps))])
            steps = steps[rows]
            if (steps[1:] >= steps[:-1]).all():
                return rows
    order = np.argsort(steps, kind="stable")
    return order if rows is None else rows[order]


def _without_stragglers(steps: AnyArray, begins: Sequence[int], drops: Ints) -> AnyArray:
    """The steps, with that of the record before in place of each one that is lower, alone in its session.

    That is a record after which steps go on from those before it, or the last of a session whose steps
    ascend until then. Where steps start over, or descend, none is alone.

    Args:
        steps: (n,) in the order of writing.
        begins: the row where each session begins.
        drops: the rows whose step is below the one before.
    """
    first = np.zeros(len(steps) + 1, bool)  # of a session, and the place behind them all
    first[[*begins, len(steps)]] = True
    drops = drops[~first[drops]]
    if not len(drops):
        return steps
    last = first[drops + 1]
    goes_on = steps[np.minimum(drops + 1, len(steps) - 1)] >= steps[drops - 1]
    ascends = (steps[drops - 2] <= steps[drops - 1]) & ~first[drops - 1]
    alone = drops[np.where(last, ascends, goes_on)]
    found = steps.copy()
    found[alone] = steps[alone - 1]
    return found


class Begin(NamedTuple):
    """The first step and walltime of a tag's records of one session, and their last step."""

    step: int | float
    walltime: int
    last: int | float


class TrainingStarts:
    """The sessions that start a training anew; sessions are added in order.

    Attributes:
        found: numbers of the sessions with which trainings begin; 0 is the first.
    """

    def __init__(self) -> None:
        self.found = [0]
        self._first: dict[str, tuple[int | float, int]] = {}  # tag -> the training's first step and its time
        self._several: set[str] = set()  # tags that have more than one step

    def add(self, number: int, mark: SessionMark, begins: dict[str, Begin], *, other: bool) -> None:
        """Add a session.

        Args:
            number: its number.
            mark: its mark.
            begins: scalar tag -> where it begins; tags whose steps are `SECONDS` are left out.
            other: True if it has other hyper-parameters than the one before.
        """
        if mark != SessionMark.RESUMES:
            # A copy of the first record has the same time.
            again = [
                other or (begin.step <= self._first[tag][0] and begin.walltime != self._first[tag][1])
                for tag, begin in begins.items()
                if tag in self._several
            ]
            if any(again):
                self.found.append(number)
                self._first, self._several = {}, set()
        for tag, (step, walltime, last) in begins.items():
            known = self._first.get(tag)
            if step != last or (known is not None and step != known[0]):
                self._several.add(tag)
            if known is None or (step, walltime) < known:
                self._first[tag] = step, walltime
