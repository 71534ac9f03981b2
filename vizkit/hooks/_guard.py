"""What keeps the trouble of recording away from the training, and its cost low."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vizkit.errors import DataError, VizKitError, VizKitWarning
from vizkit.measures.arrays import describe

if TYPE_CHECKING:
    from vizkit.tracker import Tracker

__all__ = ["Guard", "Spacing"]

_AUTO_EVERY = 100
_AUTO_SHARE = 0.01


class Guard:
    """Turns what fails within it into one warning for each path, counted in ``tracker.lost``.

    A strict tracker lets it raise.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._warned: set[str] = set()

    @contextmanager
    def __call__(self, path: str) -> Iterator[None]:
        """Guards one path, named as its warning begins: ``input images``."""
        try:
            yield
        except VizKitWarning:  # made an error by the user's filter
            raise
        except Exception as error:
            if self._tracker.strict:
                raise
            self.warn(path, error)

    def warn(self, path: str, reason: object) -> None:
        """Says once that ``path`` was not recorded, and why."""
        self._tracker.lost[path] += 1
        if path in self._warned:
            return
        self._warned.add(path)
        foreign = isinstance(reason, Exception) and not isinstance(reason, VizKitError)
        kind = f"{type(reason).__name__}: " if foreign else ""
        warnings.warn(f"{path}: not recorded: {kind}{reason}", VizKitWarning, stacklevel=4)


class Spacing:
    """At which steps something costly is recorded: at the multiples of a number.

    Args:
        every: that number; ``"auto"``: 100, doubled whenever recording took more than 1 % of the
            time since it was done before; None: never.
        name: the argument's name, for the error.

    Raises:
        DataError: another ``every``.
    """

    def __init__(self, every: Any, name: str) -> None:
        whole = isinstance(every, int) and not isinstance(every, bool) and every >= 1
        if not (whole or every in ("auto", None)):
            raise DataError(
                f"{name} must be a whole number, 1 or more, 'auto', or None for never; got {describe(every)}"
            )
        self._auto = every == "auto"
        self._every: int | None = _AUTO_EVERY if self._auto else every
        self._before: float | None = None

    @property
    def on(self) -> bool:
        """Whether there is any such step."""
        return self._every is not None

    def due(self, step: int) -> bool:
        """Whether to record at ``step``."""
        return self._every is not None and step % self._every == 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Recording happens within; what that costs here may widen the spacing."""
        start = time.perf_counter()
        yield
        end = time.perf_counter()
        if self._auto and self._every and self._before is not None:
            costly = end - start > _AUTO_SHARE * (end - self._before)
            self._every *= 2 if costly else 1
        self._before = end
