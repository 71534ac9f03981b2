"""A guard that keeps errors of recording away from the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vizkit.errors import VizKitWarning

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Guard"]


class Guard:
    """A guard that turns errors into one warning for each path, counted in ``tracker.lost``.

    With a strict tracker they raise.
    """

    def __init__(self, tracker: Tracker) -> None:
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
        self._tracker.losses.count(path, reason)


class _Guarded:
    """The context of one path; a class, since entered several times a step a generator costs more."""

    __slots__ = ("_guard", "_path")

    def __init__(self, guard: Guard, path: str) -> None:
        self._guard = guard
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if error is None or not self._guard.stops(error):
            return False
        self._guard.warn(self._path, error)
        return True
