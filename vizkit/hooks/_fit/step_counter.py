"""The step of the last batch that a run trained on, counted alike by all callbacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vizkit.format.tags import EPOCH

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["StepCounter"]


class StepCounter:
    """A counter of a run's batches from 0, over epochs, over several ``fit`` and over resumed runs.

    Attributes:
        next: the step of the batch that is being trained on, or of the next one.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self.next = 0

    def begin(self, metrics: Iterable[str]) -> None:
        """Start where any callback of the run stopped to count the batches of a ``fit``."""
        self.next = max(self.next, self._recorded(metrics) + 1, self._tracker.step)

    def advance(self) -> None:
        """Count a batch."""
        self.next += 1

    def last(self, metrics: Iterable[str]) -> int:
        """The step of the last batch that any callback counted, or the clock's if there is none."""
        step = max(self.next - 1, self._recorded(metrics))
        return step if step >= 0 else int(self._tracker.step)

    @property
    def epochs(self) -> int:
        """How many epochs any callback has recorded."""
        last = self._tracker.writer.last_value_of(EPOCH)
        return 0 if last is None else int(last) + 1

    @property
    def current(self) -> int:
        """The step of the last batch counted here; 0 before the first."""
        return max(self.next - 1, 0)

    def _recorded(self, metrics: Iterable[str]) -> int:
        tags = [EPOCH, *(f"train/{name}" for name in metrics)]
        return max(int(self._tracker.writer.last_step_of(tag)) for tag in tags)
