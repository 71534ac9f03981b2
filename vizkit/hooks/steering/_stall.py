"""Detection of a metric that no longer improves, from its values alone."""

from __future__ import annotations

import math
from collections import deque
from typing import Literal

from vizkit._checks import finite_number, whole_number
from vizkit._language import tr
from vizkit.metrics.direction import Mode, direction

__all__ = ["Mode", "Stall", "direction"]

_ROUNDING = 1e-7


class Stall:
    """A count of the evaluations since a metric last improved.

    The mean of the last ``window`` values has to improve, so that neither one lucky evaluation sets a
    mark that is not reached again, nor one unlucky evaluation counts for much. A value that is not
    finite is never an improvement, and no part of a mean.

    Args:
        mode: ``"min"`` if lower is better, or ``"max"``.
        patience: after how many evaluations without improvement the metric has stalled; None: never.
        min_delta: an improvement must be greater than this.
        window: how many values the mean is taken over; fewer at the start.

    Attributes:
        best: the best single value; None before the first finite one.
        best_step: its step.
        waited: evaluations since the last improvement, or since `restart`.

    Raises:
        DataError: a number out of range.
    """

    def __init__(
        self, mode: Literal["min", "max"], patience: int | None, min_delta: float, window: int
    ) -> None:
        if patience is not None:
            whole_number("patience", patience, unit=tr("evaluations"))
        whole_number("window", window, unit=tr("evaluations"))
        finite_number("min_delta", min_delta, least=0)
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
        """True if patience has run out."""
        return self._patience is not None and self.waited >= self._patience

    def add(self, value: float, step: int) -> bool:
        """Add an evaluation, and return True if its value is the best so far."""
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
        """Return True if ``value`` is as good as ``target``, up to the rounding of float32."""
        return self._sign * (value - target) >= -_ROUNDING * abs(target)

    def restart(self) -> None:
        """Count anew from here; the best value stays the mark."""
        self.waited = 0
