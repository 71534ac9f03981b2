"""Comparison of two sets of runs: is B better than A?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vizkit._language import tr
from vizkit.errors import QueryError
from vizkit.metrics.direction import direction
from vizkit.runs.intervals import welch

__all__ = ["Comparison", "compared"]


@dataclass(frozen=True)
class Comparison:
    """The comparison of a metric between two sets of runs, A and B.

    Attributes:
        metric: the tag.
        mode: ``"max"`` or ``"min"``: the better direction.
        mean_a, mean_b: means of the runs' best values.
        difference: ``mean_b - mean_a``.
        low, high: its 95 % interval (Welch's t); NaN where a side has fewer than two runs.
        n_a, n_b: number of runs on each side.
        left_out: number of runs without a finite value of the metric.
    """

    metric: str
    mode: str
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    n_a: int
    n_b: int
    left_out: int = 0

    @property
    def better(self) -> bool | None:
        """True if B is better than A, False if it is worse; None if the interval holds 0 or there is none."""
        if math.isnan(self.low) or self.low <= 0 <= self.high:
            return None
        return (self.low > 0) is (self.mode == "max")

    def __str__(self) -> str:
        text = (
            f"{self.metric}: A {self.mean_a:.6g} (n = {self.n_a}), B {self.mean_b:.6g} (n = {self.n_b}), "
            + tr("difference {difference:+.3g}", difference=self.difference)
        )
        if math.isnan(self.low):
            text += tr("; no interval can be given: that needs two runs or more on each side")
        else:
            verdict = tr("B is worse" if self.better is False else "which is better is open")
            verdict = tr("B is better") if self.better else verdict
            text += tr(", 95 % interval {low:+.3g} to {high:+.3g}: ", low=self.low, high=self.high) + verdict
        return text + (tr("; runs without a number left out: {n}", n=self.left_out) if self.left_out else "")


def compared(metric: str, a: ArrayLike, b: ArrayLike, mode: str = "auto") -> Comparison:
    """Compare two sets of values, one a run, without NaN and infinite ones. Errors as of `Runs.compare`."""
    sides = [np.asarray(side, dtype=np.float64) for side in (a, b)]
    kept = [side[np.isfinite(side)] for side in sides]
    for name, side, numbers in zip("AB", sides, kept, strict=True):
        if not len(numbers):
            raise QueryError(
                "none of the {n} runs of {name} has a finite {metric!r} to compare",
                n=len(side),
                name=name,
                metric=metric,
            )
    return Comparison(
        metric,
        direction(metric, mode),
        float(kept[0].mean()),
        float(kept[1].mean()),
        *welch(kept[0], kept[1]),
        n_a=len(kept[0]),
        n_b=len(kept[1]),
        left_out=sum(map(len, sides)) - sum(map(len, kept)),
    )
