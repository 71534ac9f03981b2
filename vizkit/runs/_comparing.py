"""The methods of `vizkit.Runs` that compare runs, and samples of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit._checks import describe, one_of
from vizkit.errors import DataError
from vizkit.runs._plotting import crossing_between, times_to_target
from vizkit.runs.comparison import Comparison, RunValue, compare_runs
from vizkit.runs.difference import difference_frame, differences
from vizkit.runs.importances import Evaluator, Importances, importances_of
from vizkit.runs.label_errors import LabelErrors
from vizkit.runs.query_names import meant
from vizkit.runs.run import Run
from vizkit.runs.sample_comparison import diff_runs, label_errors_of
from vizkit.runs.sample_difference import SampleDifference
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.setting_ranks import Ranking, rank_runs
from vizkit.runs.statistics import checked_mode

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs._plotting import Crossing, TimeAxis, TimeTo

__all__ = ["Comparing"]


class Comparing(Sequence[Run]):
    """Runs that can be compared."""

    _runs: list[Run]

    def differences(self) -> dict[str, dict[str, list[Any]]]:
        """The content of `diff`: ``"hparams"`` and ``"environment"`` -> name -> value in each run.

        A value that a run lacks is `vizkit.runs.query.MISSING`. Environments are compared between the runs
        that have one.
        """
        return differences(self._runs)

    def diff(self) -> pd.DataFrame:
        """The hyper-parameters that differ, and how the runs were made (packages, git, command ...).

        Returns:
            One row for each name that differs, indexed by ``part`` (``hparams``, ``environment``) and
            ``name``; one column a run; None where a run lacks it.
        """
        return difference_frame(self.differences(), [run.name for run in self._runs])

    def importance(
        self,
        metric: str,
        mode: str = "auto",
        *,
        evaluator: Evaluator = "main-effects",
        interactions: bool = False,
    ) -> Importances:
        """The importance of hyper-parameters: the share of a metric's variance that each explains.

        Method, source and limits: `vizkit.runs.importance`. Runs without a finite best value are left out.

        Args:
            metric: a scalar tag.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag.
            evaluator: ``"main-effects"``: what each explains alone, with its p; or one of Optuna's for
                searches of many trials, whose shares add up to 1: ``"ped-anova"`` (what makes the best tenth
                of the trials), ``"fanova"`` (a random forest; needs scikit-learn).
            interactions: also what each two explain together beyond the sum of both.

        Raises:
            UnknownNameError: no run has the metric.
            QueryError: fewer than four runs with a finite value.
            DataError: another mode or evaluator, or a metric whose name does not tell which value is best.
            MissingDependencyError: an evaluator that is not installed.
        """
        one_of("evaluator", evaluator, ("main-effects", "ped-anova", "fanova"))
        return importances_of(self._runs, metric, mode, evaluator, interactions)

    def compare(
        self,
        a: str | Run | Iterable[Run],
        b: str | Run | Iterable[Run],
        metric: str,
        mode: str = "auto",
        *,
        value: RunValue = "best",
        paired: bool | None = None,
        anytime: bool = False,
    ) -> Comparison:
        """Compare the values of two sets of runs: is B better than A?

        The interval is right for one look. Whoever looks again after each new run, and stops when it
        pleases, is wrong more often, but for ``anytime=True`` and `vizkit.sweeps.SweepResult.verdict`.

        Args:
            a: a run, runs, a run's name or pattern, or a filter expression.
            b: the same.
            metric: a scalar tag.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag.
            value: the value of a run: the ``"best"`` of its training, which is too good by as much as the
                metric varies; the ``"last"``; or a step, such as 1000: the last up to it, which compares
                trainings of different lengths after as many steps.
            paired: compare the runs of the same seed (the hyper-parameter ``seed``); by default where both
                sides have the same seeds, each once.
            anytime: give an interval that is right however often one looks while runs come in: wider, and of
                pairs alone. Method and source: `vizkit.runs.sequential.anytime_interval`.

        Returns:
            The difference and its confidence interval; printed, it says in words what it found. With one run
            on a side there is no interval.

        Raises:
            UnknownNameError: an unknown name or tag.
            QueryError: not an expression, a side without a finite value, or runs that cannot be paired.
            DataError: another mode or value, or a metric whose name does not tell which value is best.
        """
        mode = checked_mode(with_tag(self._runs, metric), metric, mode)
        counts = _checked_value(value)
        return compare_runs(self._meant(a), self._meant(b), metric, mode, counts, paired, anytime)

    def rank(
        self,
        metric: str,
        mode: str = "auto",
        *,
        by: str | Sequence[str] | None = None,
        value: RunValue = "best",
    ) -> Ranking:
        """Rank settings: the intervals of ranks that their seeds allow, and which may be the best.

        A setting is the runs with the same hyper-parameters, but for ``seed``. Two are compared as by
        `compare`, seed by seed where they have the same. All ranks together are right with 95 %, and so no
        setting that is truly the best is left out of those that may be. Method and source:
        `vizkit.runs.setting_ranks`. As of `compare`, this is right for one look.

        Args:
            metric: a scalar tag.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag.
            by: a hyper-parameter, or several, whose values are ranked; by default all, but for ``seed``.
            value: the value of a run, as in `compare`.

        Raises:
            UnknownNameError: no run has the metric, or the hyper-parameter.
            QueryError: fewer than two settings, or one run of each.
            DataError: another mode or value, or a metric whose name does not tell which value is best.
        """
        return rank_runs(self._runs, metric, mode, by, _checked_value(value))

    def time_to(
        self,
        metric: str,
        target: float,
        *,
        by: str | Sequence[str] | None = None,
        x: TimeAxis = "time",
        mode: str = "auto",
    ) -> TimeTo:
        """The time until a metric reaches a target, and which setting is the fastest.

        Runs that never reach it count as such (censored at their last value, Kaplan and Meier), and settings
        are compared by log-rank tests: `vizkit.runs.survival`.

        Args:
            metric: a scalar tag; runs without it are left out.
            target: the value to reach.
            by: a hyper-parameter, or several: the runs with the same value are one setting; by default each
                run is alone.
            x: ``"time"`` since the run's start, ``"relative"``: since the metric's first value, both in
                seconds; ``"step"``, or ``"epoch"``.
            mode: ``"max"`` (reached from below), ``"min"``, or ``"auto"``: by the words of the tag.

        Raises:
            UnknownNameError: no run has the metric or the hyper-parameter.
            DataError: a target that is not a number, another axis or mode, or a tag that does not tell which
                value is best.
        """
        return times_to_target(self, metric, target, by, x, mode)

    def crossing(
        self,
        a: str | Run | Iterable[Run],
        b: str | Run | Iterable[Run],
        metric: str,
        *,
        x: TimeAxis = "time",
        mode: str = "auto",
    ) -> Crossing:
        """The places where the mean curves of two settings cross, and from when on one of them is better.

        Args:
            a: a run, runs, a run's name or pattern, or a filter expression, as in `compare`.
            b: the same.
            metric: a scalar tag.
            x: the axis, as in `time_to`.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag.

        Raises:
            UnknownNameError: an unknown name or tag.
            QueryError: not an expression, or curves without a common stretch of x.
            DataError: another axis or mode, or a metric whose name does not tell which value is best.
        """
        return crossing_between(self._meant(a), self._meant(b), metric, x, mode)

    def diff_samples(
        self,
        a: str | Run | Iterable[Run],
        b: str | Run | Iterable[Run],
        tag: str | None = None,
        step: int | float | None = None,
        *,
        metric: str | None = None,
        limit: float | None = None,
        mode: str = "auto",
    ) -> SampleDifference:
        """Compare two runs sample by sample: what did B mend, what did it break, what stays wrong?

        Samples are joined by their ids; the tables of predictions are those of the runs' evaluations
        (`Run.predictions`).

        Args:
            a: a run, or the name, pattern or filter expression that means one.
            b: the same.
            tag: the evaluation, such as ``eval``; it may be left out if A has one alone.
            step: its step in both; by default the last of each.
            metric: a column of numbers or bools; by default that of the task: ``correct``, ``iou`` ...
            limit: the value of the metric from which on a sample is right; by default, samples with a number
                are compared by their means.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the metric.

        Returns:
            Samples, classes and slices as frames, and a verdict; printed, it says where the changes are.

        Raises:
            UnknownNameError: an unknown name, or no such evaluation.
            QueryError: not an expression, several runs on a side, no such column, or no sample in both.
            DataError: a damaged table, or a metric whose name does not tell which value is best.
        """
        sides = self._meant(a), self._meant(b)
        return diff_runs(*sides, self._runs, tag, step, metric, limit, mode)

    def label_errors(
        self,
        tag: str | None = None,
        step: int | float | None = None,
        runs: str | Run | Iterable[Run] | None = None,
    ) -> LabelErrors:
        """Find labels that may be wrong: samples of which runs are sure that they belong to another class.

        The scores are averaged over the runs. They must come from networks that were not trained on these
        samples. Method and source: `vizkit.metrics.confident_learning`.

        Args:
            tag: the evaluation, such as ``eval``; it may be left out if the first run has one alone.
            step: its step; by default the last of each run.
            runs: the runs to ask, as in `compare`, best good ones: "`eval/acc` > 0.9"; by default all that
                have the table.

        Returns:
            The samples, the most likely errors first, each with the class that it may be.

        Raises:
            UnknownNameError: an unknown name, or no such evaluation.
            QueryError: not an expression, no table of a classifier with scores, or no sample in all.
            DataError: a damaged table.
        """
        return label_errors_of(self._runs if runs is None else self._meant(runs), tag, step)

    def _meant(self, side: str | Run | Iterable[Run]) -> list[Run]:
        if isinstance(side, Run):
            return [side]
        if not isinstance(side, str):
            return list(side)
        return meant(side, self._runs)


def _checked_value(value: RunValue) -> RunValue:
    """The value of a run that is to count; errors as of `Runs.compare`."""
    if value in ("best", "last"):
        return value
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    raise DataError("value must be 'best', 'last' or a step, got {value}", value=describe(value))
