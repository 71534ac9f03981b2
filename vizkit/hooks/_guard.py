"""A guard that keeps errors of recording away from the training."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Protocol

from vizkit._warnings import count_lost
from vizkit.errors import VizKitWarning

__all__ = ["Guard"]


class _Losses(Protocol):
    """A `vizkit.Tracker`, or a stand-in for one."""

    strict: bool
    lost: Counter[str]


class Guard:
    """A guard that turns errors into one warning for each path, counted in ``tracker.lost``.

    With a strict tracker they raise.
    """

    def __init__(self, tracker: _Losses) -> None:
        self._tracker = tracker

    def __call__(self, path: str) -> _Guarded:
        """Guard one path, by the name that its warning begins with: ``input images``."""
        return _Guarded(self, path)

    def stops(self, error: BaseException | None) -> bool:
        """Return True if an error is not to be raised."""
        # A warning is an error if the user's filter made it one.
        return isinstance(error, Exception) and not (isinstance(error, VizKitWarning) or self._tracker.strict)

    def warn(self, path: str, reason: object) -> None:
        """Warn once that ``path`` was not recorded, and why."""
        count_lost(self._tracker.lost, path, reason)


class _Guarded:
    """The context of one path; a class, since entered several times a step a generator costs more."""

    __slots__ = ("_guard", "_path")

    def __init__(self, guard: Guard, path: str) -> None:
        self._guard = guard
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if exc is None or not self._guard.stops(exc):
            return False
        self._guard.warn(self._path, exc)
        return True
