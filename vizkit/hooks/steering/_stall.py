"""When a metric has stopped improving, told from its values alone."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Literal

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.direction import Mode, direction

__all__ = ["Mode", "Stall", "direction"]

_ROUNDING = 1e-7


class Stall:
    """Follows a metric, and counts the evaluations since it last improved.

    An improvement is told from the mean of the last ``window`` values, so that neither one lucky
    evaluation sets a mark that is not reached again, nor one unlucky evaluation counts for much. A
    value that is not finite is never an improvement, and no part of a mean.

    Args:
        mode: whether lower (``"min"``) or higher is better.
        patience: after how many evaluations without improvement the metric has stalled; None: never.
        min_delta: by how much more than that the mean has to get better to have improved.
        window: of how many values the mean is taken; fewer at the start.

    Attributes:
        best: the best single value; None before the first finite one.
        best_step: its step.
        waited: evaluations since the last improvement, or since `restart`.

    Raises:
        DataError: a number out of range.
    """

    def __init__(self, mode: Literal["min", "max"], patience: Any, min_delta: Any, window: Any) -> None:
        if patience is not None:
            _check_count(patience, "patience")
        _check_count(window, "window")
        if (
            isinstance(min_delta, bool)
            or not isinstance(min_delta, (int, float))
            or not 0 <= min_delta < math.inf
        ):
            raise DataError(f"min_delta must be a number, 0 or more, got {describe(min_delta)}")
        self._sign = 1.0 if mode == "max" else -1.0
        self._patience = patience
        self._min_delta = min_delta
        self._recent: deque[float] = deque(maxlen=window)
        self._mark = -math.inf
        self.best: float | None = None
        self.best_step = 0
        self.waited = 0

    @property
    def stalled(self) -> bool:
        """Whether patience has run out."""
        return self._patience is not None and self.waited >= self._patience

    def add(self, value: float, step: int) -> bool:
        """Adds an evaluation; returns whether its value is the best so far."""
        self.waited += 1
        if not math.isfinite(value):
            return False
        self._recent.append(self._sign * value)
        mean = sum(self._recent) / len(self._recent)
        if mean > self._mark + self._min_delta:
            self._mark = mean
            self.waited = 0
        if self.best is not None and self._sign * value <= self._sign * self.best:
            return False
        self.best, self.best_step = value, step
        return True

    def reached(self, value: float, target: float) -> bool:
        """Whether ``value`` is as good as ``target``, up to the rounding of float32."""
        return self._sign * (value - target) >= -_ROUNDING * abs(target)

    def restart(self) -> None:
        """Starts to count anew; what was best stays the mark."""
        self.waited = 0


def _check_count(value: Any, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DataError(f"{name} must be a whole number of evaluations, 1 or more, got {describe(value)}")
