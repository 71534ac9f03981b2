"""Sessions of a run: which of its records count, and in which order.

A session is one process's stretch of a run; it begins with a mark in the log, or with a file of stock
VisualDL. Within a session all records of a tag count, sorted by step. A record at step s supersedes those
of earlier sessions at steps >= s, as when a run is resumed from a checkpoint; a straggler does not: a record
that came late, or has a broken step. A session that starts again at the beginning is a training of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizkit.columns.series import Stretch
from vizkit.format.types import SessionMark
from vizkit.metrics.arrays import AnyArray, Ints

__all__ = ["TrainingStarts", "counting"]


def counting(
    steps: AnyArray, begins: Sequence[int] | Ints, firsts: Sequence[int] | Ints = (0,)
) -> NDArray[np.int64] | None:
    """The rows of a tag, or of several, that count, by step; rows of one step stay in the order of writing.

    Args:
        steps: (n,) in the order of writing, tag by tag.
        begins: (k,) the row where each session of each tag begins, the first one 0.
        firsts: (m,) the place among these of each tag's first session, the first one 0.

    Returns:
        Rows, tag by tag; None if all count as they stand.
    """
    down = steps[1:] < steps[:-1]
    if len(begins) == 1:
        # Felt with many tags: counting takes a fifth of the time of `any`, a method half that of a function.
        return steps.argsort(kind="stable") if np.count_nonzero(down) else None
    ends = np.append(begins, len(steps))
    begins, sizes = ends[:-1], ends[1:] - ends[:-1]
    is_first = np.zeros(len(begins), bool)
    is_first[firsts] = True
    down[begins[is_first][1:] - 1] = False
    later = begins[~is_first]
    drops = down.nonzero()[0] + 1
    if not len(drops) and (steps[later - 1] < steps[later]).all():
        return None
    tags = is_first.cumsum() - 1  # of sessions
    rows = None
    if len(later):
        least = np.minimum.reduceat(_without_stragglers(steps, begins, drops), begins)
        kept = steps < _least_of_later(least, tags).repeat(sizes)
        kept |= np.append(is_first[1:], True).repeat(sizes)  # the tag's last session
        if not kept.all():
            rows = kept.nonzero()[0]
            steps = steps[rows]
    if len(firsts) == 1:
        if rows is not None and (steps[1:] >= steps[:-1]).all():
            return rows
        order = steps.argsort(kind="stable")
    else:
        of_rows = tags.astype(np.min_scalar_type(len(firsts))).repeat(sizes)
        order = np.lexsort((steps, of_rows if rows is None else of_rows[rows]))
    return order if rows is None else rows[order]


def _least_of_later(least: AnyArray, tags: Ints) -> AnyArray:
    """The least of what the sessions after each one of the same tag have; of a tag's last one anything."""
    found = np.append(least[1:], least[-1])
    if tags[-1] == 0:  # one tag
        return np.minimum.accumulate(found[::-1])[::-1]
    tags, by = tags[1:], 1  # found: of so many sessions after each one
    while by < len(tags) and (same := tags[by:] == tags[:-by]).any():
        found[: -by - 1] = np.where(same, np.minimum(found[: -by - 1], found[by:-1]), found[: -by - 1])
        by *= 2
    return found


def _without_stragglers(steps: AnyArray, begins: Ints, drops: Ints) -> AnyArray:
    """The steps, with that of the record before in place of each one that is lower, alone in its session.

    That is a record after which steps go on from those before it, or the last of a session whose steps
    ascend until then. Where steps start over, or descend, none is alone.

    Args:
        steps: (n,) in the order of writing.
        begins: the row where each session begins; that of another tag is another session.
        drops: the rows whose step is below the one before.
    """
    first = np.zeros(len(steps) + 1, bool)  # of a session, and the place behind them all
    first[begins] = first[-1] = True
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


class TrainingStarts:
    """The sessions that start a training anew; sessions are added in order.

    Attributes:
        found: numbers of the sessions with which trainings begin; 0 is the first.
    """

    def __init__(self) -> None:
        self.found = [0]
        self._first: dict[str, tuple[int | float, int]] = {}  # tag -> the training's first step and its time
        self._several: set[str] = set()  # tags that have more than one step

    def add(self, number: int, mark: SessionMark, begins: dict[str, Stretch], *, other: bool) -> None:
        """Add a session.

        Args:
            number: its number.
            mark: its mark.
            begins: scalar tag -> its records; tags whose steps are `SECONDS` are left out.
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
        for tag, begin in begins.items():
            step, walltime = begin.step, begin.walltime
            known = self._first.get(tag)
            if step != begin.last or (known is not None and step != known[0]):
                self._several.add(tag)
            if known is None or (step, walltime) < known:
                self._first[tag] = step, walltime
