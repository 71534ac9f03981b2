"""The step of the last batch that a run trained on, counted alike by all callbacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from vizkit.format.tags import EPOCH

if TYPE_CHECKING:
    from vizkit.writing.log_writer import LogWriter

__all__ = ["StepCounter"]


class _Clock(Protocol):
    """A `vizkit.Tracker`, or a stand-in for one."""

    @property
    def step(self) -> int:
        """The step of the run's clock."""

    @property
    def writer(self) -> LogWriter | None:
        """The writer of its run; None if it records nothing."""


class StepCounter:
    """A counter of a run's batches from 0, over epochs, over several ``fit`` and over resumed runs.

    Args:
        tracker: the tracker of the run.

    Attributes:
        next: the step of the batch that is being trained on, or of the next one.
    """

    def __init__(self, tracker: _Clock) -> None:
        self._tracker = tracker
        self.next = 0

    def begin(self, metrics: Iterable[str]) -> None:
        """Start where any callback of the run stopped to count the batches of a ``fit``.

        Args:
            metrics: the names of the metrics that the fit computes.
        """
        self.next = max(self.next, self._recorded(metrics) + 1, self._tracker.step)

    def advance(self) -> None:
        """Count a batch."""
        self.next += 1

    def last(self, metrics: Iterable[str]) -> int:
        """The step of the last batch that any callback counted, or the clock's if there is none."""
        step = max(self.next - 1, self._recorded(metrics))
        return step if step >= 0 else int(self._tracker.step)

    @property
    def current(self) -> int:
        """The step of the last batch counted here; 0 before the first."""
        return max(self.next - 1, 0)

    def _recorded(self, metrics: Iterable[str]) -> int:
        writer = getattr(self._tracker, "writer", None)
        if writer is None:
            return -1
        tags = [EPOCH, *(f"train/{name}" for name in metrics)]
        return max(int(writer.last_step_of(tag)) for tag in tags)
