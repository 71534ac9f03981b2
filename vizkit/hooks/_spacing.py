"""How far apart something costly is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vizkit._checks import describe
from vizkit.errors import DataError

__all__ = ["Spacing"]

_AUTO_EVERY = 100
_AUTO_OVERHEAD = 0.01


class Spacing:
    """At which steps something costly is recorded: at multiples of a number, within a budget.

    What a record costs is measured by `timed`. The next is due only when the time that training has
    taken since makes that cost no more than the budget's share: each record is paid for by the steps
    after it. So a pause pays for one record, not for many.

    Args:
        every: that number; ``"auto"``: 100, with a budget of 0.01; None: never.
        name: the argument's name, for the error.
        overhead: the budget: the share of the time that recording may take, above 0 and below 1;
            None: any.
        clock: seconds, growing.

    Raises:
        DataError: another ``every`` or ``overhead``.
    """

    def __init__(
        self,
        every: Any,
        name: str,
        overhead: Any = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        whole = isinstance(every, int) and not isinstance(every, bool) and every >= 1
        if not (whole or every in ("auto", None)):
            raise DataError(
                f"{name} must be a whole number, 1 or more, 'auto', or None for never; got {describe(every)}"
            )
        if overhead is not None and not (isinstance(overhead, (int, float)) and 0 < overhead < 1):
            raise DataError(
                "overhead must be a share of the time, above 0 and below 1, such as 0.02; "
                f"got {describe(overhead)}"
            )
        if every == "auto":
            every, overhead = _AUTO_EVERY, _AUTO_OVERHEAD if overhead is None else overhead
        self._every: int | None = every
        self._overhead: float | None = overhead
        self._clock = clock or time.perf_counter
        self._due_at: int | None = None
        self._since = 0.0
        self._cost = 0.0

    @property
    def on(self) -> bool:
        """Whether there is any such step."""
        return self._every is not None

    def due(self, step: int) -> bool:
        """Whether to record at ``step``; asked again at a step, it says the same."""
        if self._every is None or step % self._every:
            return False
        if self._overhead is not None and step != self._due_at:
            now = self._clock()
            if self._due_at is not None and self._cost > self._overhead * (now - self._since - self._cost):
                return False
            self._due_at, self._since, self._cost = step, now, 0.0
        return True

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Recording happens within; a record may cost several times."""
        start = self._clock()
        try:
            yield
        finally:
            self._cost += self._clock() - start
