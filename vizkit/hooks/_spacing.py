"""`Spacing`: the steps at which a costly record is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

from vizkit._checks import describe, fraction, is_whole_number
from vizkit.errors import DataError

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Spacing"]

_AUTO_EVERY = 100
_AUTO_OVERHEAD = 0.01


class Spacing:
    """The steps at which a costly record is made: multiples of a number, within a time budget.

    `timed` measures the cost of a record, and `defer` that of what another thread does for it, which takes
    the interpreter and a core from the training. The next is due once the training since then has taken long
    enough for that cost to be within the budget: each record is paid for by the steps after it. So a
    pause pays for one record, not for many.

    Args:
        every: the number; ``"auto"``: 100, with a budget of 0.01; None: never.
        name: the argument's name, for the error.
        overhead: the budget: the fraction of the time that recording may take, above 0 and below 1;
            None: any.
        clock: a function that returns seconds.

    Raises:
        DataError: another ``every`` or ``overhead``.
    """

    def __init__(
        self,
        every: int | Literal["auto"] | None,
        name: str,
        overhead: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if overhead is not None:
            fraction("overhead", overhead)
        if every == "auto":
            every, overhead = _AUTO_EVERY, _AUTO_OVERHEAD if overhead is None else overhead
        if every is not None and not (is_whole_number(every) and every >= 1):
            raise DataError(
                "{name} must be a whole number, 1 or more, 'auto', or None for never; got {every}",
                name=name,
                every=describe(every),
            )
        self._every = every
        self._overhead = overhead
        self._clock = clock or time.perf_counter
        self._due_at: int | None = None
        self._since = 0.0
        self._cost = 0.0

    @property
    def on(self) -> bool:
        """True if there is any such step."""
        return self._every is not None

    def possible(self, step: int) -> bool:
        """True if a record may be due at ``step``, whatever records cost."""
        return self._every is not None and step % self._every == 0

    def steps_to(self, step: int) -> int:
        """The number of steps from ``step`` to the one at which a record may be due; 0 if there is none."""
        return 0 if self._every is None else -step % self._every

    def due(self, step: int) -> bool:
        """Return True if a record is due at ``step``; the answer for one step does not change."""
        if self._every is None or step % self._every:
            return False
        if self._overhead is not None and step != self._due_at:
            now = self._clock()
            if self._due_at is not None and self._cost > self._overhead * (now - self._since - self._cost):
                return False
            self._due_at, self._since, self._cost = step, now, 0.0
        return True

    def defer(self, tracker: Tracker, name: str, job: Callable[[], None], step: int, size: int) -> None:
        """Have a tracker's worker run a job, whose CPU time is part of the cost of the last record.

        Args:
            tracker: the tracker.
            name: the job's name in a warning if it raises.
            job: a function that owns the arrays that it reads.
            step: the step of its records.
            size: the size of the arrays in bytes.
        """
        if step > tracker.step:
            with suppress(Exception):  # a record is not to be lost for it
                tracker.log({}, step)  # moves the clock, on this thread and not on the worker's

        def counted() -> None:
            start = time.thread_time()
            try:
                job()
            finally:
                self._cost += time.thread_time() - start

        tracker.writer.defer(name, counted, size)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure the recording within as part of the cost of the last record that was due."""
        start = self._clock()
        try:
            yield
        finally:
            self._cost += self._clock() - start
