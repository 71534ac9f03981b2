"""What keeps the trouble of recording away from the training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vizkit.errors import VizKitWarning
from vizkit.trouble import count_lost

if TYPE_CHECKING:
    from vizkit.tracker import Tracker

__all__ = ["Guard"]


class Guard:
    """Turns what fails within it into one warning for each path, counted in ``tracker.lost``.

    A strict tracker lets it raise.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

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
        count_lost(self._tracker.lost, path, reason)
