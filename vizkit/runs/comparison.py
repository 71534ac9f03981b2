"""Comparison of two sets of runs: is B better than A?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from vizkit._language import tr
from vizkit._protocols import JSONObject
from vizkit.errors import QueryError
from vizkit.metrics.direction import direction
from vizkit.runs._plotting import DrawnComparison
from vizkit.runs.display import Cell, Table
from vizkit.runs.formatting import value_texts
from vizkit.runs.intervals import welch
from vizkit.runs.printed import Printed
from vizkit.runs.sequential import (
    Seeds,
    anytime_interval,
    more_seeds,
    more_seeds_text,
    paired_interval,
    runs_to_tell,
    seeds_to_tell,
)
from vizkit.runs.statistics import best_of_each

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["Comparison", "RunValue", "compare_runs", "compared", "seeds_match", "values_of"]

RunValue = Literal["best", "last"] | int
"""The value of a run that counts: the best of its training, the last, or the last up to some step."""


@dataclass(frozen=True, repr=False)
class Comparison(Printed, DrawnComparison):
    """The comparison of a metric between two sets of runs, A and B.

    Attributes:
        metric: the tag.
        mode: ``"max"`` or ``"min"``: the better direction.
        mean_a, mean_b: means of the runs' values.
        difference: ``mean_b - mean_a``.
        low, high: its 95 % interval (Student's t of the pairs, or Welch's; or one of a confidence sequence);
            NaN where a side has fewer than two runs, infinite where a confidence sequence has no end yet.
        n_a, n_b: number of runs on each side.
        left_out: number of runs without a finite value of the metric, or without a partner.
        paired: each run of A was compared with the run of B that has the same seed.
        more: how many more seeds of both sides would tell, as a range that is right in 80 %
            (`vizkit.runs.sequential.seeds_to_tell`); None if that cannot be said.
        value: the value of a run that counted: ``"best"``, ``"last"``, or the last up to this step.
        anytime: the interval is right however often one looks.
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
    paired: bool = False
    more: Seeds | None = None
    value: RunValue = "best"
    anytime: bool = False

    @property
    def better(self) -> bool | None:
        """True if B is better than A, False if it is worse; None if the interval holds 0 or there is none."""
        if math.isnan(self.low) or self.low <= 0 <= self.high:
            return None
        return (self.low > 0) is (self.mode == "max")

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """The answer in one sentence, in VizKit's language."""
        a, b = self._means
        text = f"{self.metric}: A {a} (n = {self.n_a}), B {b} (n = {self.n_b}), " + tr(
            "difference {difference:+.3g}", difference=self.difference
        )
        if math.isnan(self.low):
            text += tr("; no interval can be given: that needs two runs or more on each side")
        elif math.isinf(self.low):
            text += tr("; which is better is open: an interval for every look needs about five pairs")
        else:
            verdict = tr("B is worse" if self.better is False else "which is better is open")
            verdict = tr("B is better") if self.better else verdict
            text += tr(", 95 % interval {low:+.3g} to {high:+.3g}: ", low=self.low, high=self.high) + verdict
        if self.paired:
            text += tr("; paired by seed")
        if self.anytime:
            text += tr("; right however often one looks")
        if self.better is None and self.more:
            text += more_seeds_text(self.more) + (tr(", at one look") if self.anytime else "")
        if self.value == "best":
            text += tr("; best values of trainings are too good by as much as the metric varies")
        return text + (tr("; runs without a number left out: {n}", n=self.left_out) if self.left_out else "")

    @property
    def _means(self) -> list[str]:
        return value_texts([self.mean_a, self.mean_b], 6)

    def table(self) -> Table:
        """The content of what a notebook shows."""
        sides = zip("AB", (self.n_a, self.n_b), self._means, strict=True)
        rows = [[Cell(name), Cell(str(n)), Cell(mean)] for name, n, mean in sides]
        return Table(
            tr("A and B by {metric}", metric=self.metric),
            ["", tr("runs"), self.metric],
            rows,
            [self.sentence],
        )

    def to_dict(self) -> JSONObject:
        """The comparison as JSON; ends that are unknown are None."""
        found: JSONObject = {**asdict(self), "better": self.better, "more": self.more and list(self.more)}
        return {**found, **{end: None for end in ("low", "high") if not math.isfinite(found[end])}}


def compared(
    metric: str,
    a: ArrayLike,
    b: ArrayLike,
    mode: str = "auto",
    *,
    paired: bool = False,
    anytime: bool = False,
) -> Comparison:
    """Compare two sets of values, one a run, without NaN and infinite ones. Errors as of `Runs.compare`.

    Args:
        metric: the tag.
        a: (n,) values of the first set.
        b: (m,) values of the second; of pairs (n,) in the same order.
        mode: the better direction.
        paired: compare each value of A with that of B at its place.
        anytime: give an interval that is right at all looks together; only of pairs.
    """
    sides = [np.asarray(side, dtype=np.float64) for side in (a, b)]
    whole = [np.isfinite(side) for side in sides]
    for name, side, there in zip("AB", sides, whole, strict=True):
        if not there.any():
            raise QueryError(
                "none of the {n} runs of {name} has a finite {metric!r} to compare",
                n=len(side),
                name=name,
                metric=metric,
            )
    if paired:
        whole = [whole[0] & whole[1]] * 2
        if not whole[0].any():
            raise QueryError("no two runs of the same seed have a finite {metric!r} both", metric=metric)
    kept = [side[there] for side, there in zip(sides, whole, strict=True)]
    if anytime:
        interval = anytime_interval(kept[1] - kept[0])
    else:
        interval = paired_interval(kept[1] - kept[0]) if paired else welch(kept[0], kept[1])
    needed = seeds_to_tell(kept[1] - kept[0]) if paired else runs_to_tell(kept[0], kept[1])
    return Comparison(
        metric,
        direction(metric, mode),
        float(kept[0].mean()),
        float(kept[1].mean()),
        *interval,
        n_a=len(kept[0]),
        n_b=len(kept[1]),
        left_out=sum(map(len, sides)) - sum(map(len, kept)),
        paired=paired,
        more=more_seeds(needed, min(map(len, kept))),
        anytime=anytime,
    )


def compare_runs(
    a: Sequence[Run],
    b: Sequence[Run],
    metric: str,
    mode: Literal["min", "max"],
    value: RunValue,
    paired: bool | None,
    anytime: bool = False,
) -> Comparison:
    """Compare two sets of runs; arguments and errors as of `Runs.compare`."""
    seeds = [[run.hparams.get("seed") for run in side] for side in (a, b)]
    pairs = seeds_match(*seeds) if paired is None else paired
    if anytime and not pairs:
        raise QueryError(
            "an interval that is right at every look is one of pairs: it needs the same seeds on both sides"
        )
    left_out = 0
    if pairs:
        both = [seed for seed in seeds[0] if seed in seeds[1]] if all(map(_are_seeds, seeds)) else []
        if not both:
            raise QueryError(
                "the runs cannot be paired: each needs a hyper-parameter 'seed', once on each side, "
                "and some of both sides"
            )
        left_out = len(a) + len(b) - 2 * len(both)
        a, b = ([side[own.index(seed)] for seed in both] for side, own in zip((a, b), seeds, strict=True))
    values_a, values_b = (values_of(side, metric, mode, value) for side in (a, b))
    found = compared(metric, values_a, values_b, mode, paired=pairs, anytime=anytime)
    return replace(found, left_out=found.left_out + left_out, value=value)


def seeds_match(a: Sequence[object], b: Sequence[object]) -> bool:
    """True if two sides have the same seeds, each once, and more than one: so runs are paired."""
    return len(a) > 1 and _are_seeds(a) and _are_seeds(b) and set(a) == set(b)


def _are_seeds(values: Sequence[object]) -> bool:
    """True if each run has a seed, and none that of another."""
    return all(isinstance(seed, (int, float)) for seed in values) and len(set(values)) == len(values)


def values_of(runs: Sequence[Run], metric: str, mode: Literal["min", "max"], value: RunValue) -> list[float]:
    """The value of each run; NaN where there is none."""
    if value == "best":
        return best_of_each(runs, metric, mode)
    if value == "last":
        return [run.summary(metric).last.value if metric in run.scalar_tags else math.nan for run in runs]
    return [_value_at(run, metric, value) for run in runs]


def _value_at(run: Run, metric: str, step: int) -> float:
    """The last value up to a step; NaN of a run that has none."""
    if metric not in run.scalar_tags:
        return math.nan
    columns = run.columns(metric)
    before = int(np.searchsorted(columns.steps, step, side="right"))
    return float(columns.values[before - 1]) if before else math.nan
