"""The verdict on a sweep: which settings are worse than the best one, however often one has looked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vizkit._language import tr, trn
from vizkit._protocols import JSONObject
from vizkit.errors import QueryError
from vizkit.runs.display import Cell, Table
from vizkit.runs.formatting import value_texts
from vizkit.runs.intervals import Interval
from vizkit.runs.printed import MOST_ROWS, Printed
from vizkit.runs.sequential import Seeds, anytime_interval, more_seeds, more_seeds_text, seeds_to_tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vizkit.plots._difference_intervals import DifferenceIntervalsPlot
    from vizkit.sweeps.result import SweepResult, Trial

__all__ = ["Verdict", "verdict_on"]


@dataclass(frozen=True, repr=False)
class Verdict(Printed):
    """The best trial beside each other one.

    The difference of two trials is that of the runs with the same seed. Its interval is one of a
    confidence sequence (`vizkit.runs.sequential.anytime_interval`), at a level that is divided by the
    number of pairs of trials (Bonferroni): the chance of any wrong "worse", of any pair and at any look,
    is at most 5 %.

    Attributes:
        best: the number of the trial with the best mean.
        worse: the trials that are shown to be worse, the worst last.
        open: those that cannot be told from it, the best first.
        differences: number of a trial -> how much better the best one is, with its interval; above 0 is
            better, whatever the mode.
        more: how many more seeds of each trial would tell the best from the next, at one look, as a range
            that is right in 80 %; None if that cannot be said.
        seeds: how many seeds each trial has.
        objective: the value of a run that counted.
    """

    best: int
    worse: tuple[int, ...]
    open: tuple[int, ...]
    differences: dict[int, Interval]
    more: Seeds | None
    seeds: int
    objective: Literal["best", "last"]

    def to_dict(self) -> JSONObject:
        """The verdict as JSON; ends that are infinite or unknown are None."""
        return {
            "best": self.best,
            "worse": list(self.worse),
            "open": list(self.open),
            "differences": {
                str(number): [value if np.isfinite(value) else None for value in interval]
                for number, interval in self.differences.items()
            },
            "more": None if self.more is None else list(self.more),
            "seeds": self.seeds,
            "objective": self.objective,
        }

    def plot(self, *, ax: Axes | None = None) -> DifferenceIntervalsPlot:
        """Draw how much better the best trial is than the others: `vizkit.plots.difference_intervals`."""
        from vizkit.plots import difference_intervals

        names = [tr("trial {number}", number=number) for number in self._others]
        label = tr("how much better trial {best} is", best=self.best)
        return difference_intervals(
            names, [self.differences[number] for number in self._others], label=label, ax=ax
        )

    def table(self) -> Table:
        """The content of what a notebook shows."""
        rows = []
        shown = self._others[:MOST_ROWS]
        values = value_texts([self.differences[number][0] for number in shown])
        for number, value in zip(shown, values, strict=True):
            _, *ends = self.differences[number]
            interval = " … ".join(f"{end:.4g}" for end in ends) if np.isfinite(ends).all() else ""
            mark = tr("yes") if number in self.worse else ""
            rows.append([Cell(text) for text in (str(number), value, interval, mark)])
        header = [tr("trial"), tr("difference"), tr("interval"), tr("shown")]
        return Table(tr("how much better trial {best} is", best=self.best), header, rows, [self.sentence])

    @property
    def _others(self) -> list[int]:
        return [*self.open, *self.worse]

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """The answer in one sentence, in VizKit's language."""
        if not self.open:
            text = trn(
                "trial {best} is better than the other one",
                "trial {best} is better than all {n} others",
                len(self.worse),
                best=self.best,
            )
        else:
            names = ", ".join(map(str, self.open))
            text = tr(
                "trial {best} has the best mean, which is not shown to be better than that of {names}",
                best=self.best,
                names=names,
            )
            if self.worse:
                text += trn("; {n} other is worse", "; {n} others are worse", len(self.worse))
            if self.more:
                text += more_seeds_text(self.more) + tr(", at one look")
        if self.objective == "best":
            text += tr("; best values of trainings are too good by as much as the metric varies")
        return text


def verdict_on(result: SweepResult) -> Verdict:
    """Compare the best trial with each other one; errors as of `SweepResult.verdict`."""
    trials = result.finished
    if len(trials) < 2:
        raise QueryError("a verdict needs two finished trials or more, {n} have", n=len(trials))
    if result.seeds < 2:
        raise QueryError(
            "one training of each point tells nothing of chance: sweep with seeds=3 or more for a verdict"
        )
    sign = 1 if result.mode == "max" else -1
    best, others = trials[0], trials[1:]
    pairs = len(list(itertools.combinations(trials, 2)))
    values = {trial.number: sign * (np.array(best.values) - np.array(trial.values)) for trial in others}
    differences = {number: anytime_interval(found, 1 - 0.05 / pairs) for number, found in values.items()}
    return Verdict(
        best=best.number,
        worse=_numbers(others, differences, shown=True),
        open=_numbers(others, differences, shown=False),
        differences=differences,
        more=_more(values, differences, result.seeds),
        seeds=result.seeds,
        objective=result.objective,
    )


def _numbers(others: Sequence[Trial], differences: dict[int, Interval], *, shown: bool) -> tuple[int, ...]:
    return tuple(trial.number for trial in others if (differences[trial.number].low > 0) is shown)


def _more(
    values: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]],
    differences: dict[int, Interval],
    seeds: int,
) -> Seeds | None:
    """How many more seeds would tell the best from the first that it cannot be told from."""
    open_ones = [number for number, interval in differences.items() if not interval.low > 0]
    needed = seeds_to_tell(values[open_ones[0]]) if open_ones else None
    return more_seeds(needed, seeds)
