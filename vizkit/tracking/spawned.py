"""Trackers that a spawned process makes while it imports the program, as its parent has done before.

The parent has the run already, and the process learns its rank, if it gets one, only after the imports.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, count, islice, takewhile

from vizkit._ranks import assignment, is_importing, rank
from vizkit._warnings import warn
from vizkit.environment import is_run_of

__all__ = ["SpawnedStart"]

_asked: Counter[str] = Counter()  # how many trackers were made for a directory during the imports


class SpawnedStart:
    """The late start of a tracker: at the first record after the imports, if the process has a rank by then.

    Args:
        logdir: the directory that the tracker is to have.
        start: called once with the parent's run, if there is one; returns True if the tracker records.
        ranks: as of `Tracker`.
    """

    def __init__(self, logdir: str, start: Callable[[str | None], bool], ranks: object) -> None:
        self._logdir = logdir
        self._number = _asked[logdir]
        _asked[logdir] += 1
        self._start = start
        self._ranks = ranks
        self._assigned_before = assignment()
        self._kept: list[Callable[[], None]] = []
        self._decided = self._warned = False

    def records(self) -> bool:
        """True if the tracker records, or may do so after the imports. Decides it after them."""
        if self._decided:
            return False
        return is_importing() or self._decide()

    def starts(self, record: Callable[[], None]) -> bool:
        """Decide whether a tracker that does not record yet does so from now on.

        Args:
            record: repeats the present call; called later if it is too early to decide.
        """
        if not self._decided and is_importing():
            self._kept.append(record)
            return False
        if not self._decided and self._decide():
            return True
        if not self._warned and assignment() == self._assigned_before:
            self._warned = True
            warn(
                "{logdir} belongs to the parent process: records of a spawned child are left out; "
                "make a tracker in the function that the child runs",
                logdir=self._logdir,
            )
        return False

    def _decide(self) -> bool:
        self._decided = True
        if assignment() == self._assigned_before or (self._ranks == 0 and rank()):
            return False
        parents = next(islice(_runs_of_parent(self._logdir), self._number, None), None)
        if not self._start(parents):
            return False
        if rank() or not parents:  # else the parent has recorded the same
            for record in self._kept:
                record()
        return True


def _runs_of_parent(logdir: str) -> Iterator[str]:
    """The runs that the parent process made when it was asked for a directory."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None or "://" in logdir:
        return
    siblings = chain([logdir], (f"{logdir.rstrip('/')}-{number}" for number in count(2)))
    for directory in takewhile(os.path.isdir, siblings):
        if is_run_of(directory, parent.pid):
            yield directory
