"""The step of the last trained batch of a run, counted alike by all callbacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vizkit.format.tags import EPOCH

__all__ = ["Steps"]


class Steps:
    """Counts the batches of a run from 0, over epochs, over several ``fit`` and over resumed runs.

    Args:
        tracker: whose run; one without a ``writer`` records nothing.

    Attributes:
        next: the step of the batch that is trained now, or next.
    """

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker
        self.next = 0

    def begin(self, metrics: Iterable[str]) -> None:
        """A training of these metrics begins; it goes on where any callback of the run stopped."""
        self.next = max(self.next, self._recorded(metrics) + 1, self._tracker.step)

    def advance(self) -> None:
        """A batch was trained."""
        self.next += 1

    def last(self, metrics: Iterable[str]) -> int:
        """The step of the last batch that any callback trained; the clock's if there was none."""
        step = max(self.next - 1, self._recorded(metrics))
        return step if step >= 0 else int(self._tracker.step)

    @property
    def current(self) -> int:
        """The step of the last batch that was counted here; 0 before the first."""
        return max(self.next - 1, 0)

    def _recorded(self, metrics: Iterable[str]) -> int:
        writer = getattr(self._tracker, "writer", None)
        if writer is None:
            return -1
        tags = [EPOCH, *(f"train/{name}" for name in metrics)]
        return max(int(writer.last_step_of(tag)) for tag in tags)
