"""The newest scalars of a run, as they are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vizkit.format.walltime import time_list
from vizkit.runs.run import Run
from vizkit.runs.scalar_tags import shown_metrics

__all__ = ["Line", "Recent"]


class Line(NamedTuple):
    """One record of a scalar tag; ``walltime`` is milliseconds since 1970, None if it cannot be a time."""

    walltime: int | None
    step: int | float
    tag: str
    value: float


class Recent:
    """The scalars of a run, in the order in which they are recorded.

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
        """The records since the last call, at most the last ``most`` of them."""
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
            steps, values = columns.steps[start:].tolist(), columns.values[start:].tolist()
            times = time_list(columns.walltimes[start:])
            found += [
                Line(time, step, tag, value) for time, step, value in zip(times, steps, values, strict=True)
            ]
        found.sort(key=lambda line: (line.walltime or 0, line.step))
        return found if most is None else found[max(len(found) - most, 0) :]
