"""The comparison of two tables of predictions: joined, judged and tested."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from vizkit._checks import describe
from vizkit.errors import DataError, QueryError, UnknownNameError
from vizkit.metrics.arrays import Bools, Indices
from vizkit.metrics.direction import direction
from vizkit.metrics.paired_tests import PairedMean, mcnemar, paired_bootstrap
from vizkit.runs.label_errors import LabelErrors, find_label_errors
from vizkit.runs.prediction_table import CORRECT, PredictionTable, predictions_of
from vizkit.runs.sample_difference import Matched, SampleDifference
from vizkit.runs.sample_pairs import equal_rows, pair_rows, row_values
from vizkit.runs.table_frames import PREDICTIONS

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["diff_predictions", "diff_runs", "label_errors_of"]

_MODES = {CORRECT: "max", "edits": "min"}  # which their names do not tell


def diff_runs(
    a: Sequence[Run],
    b: Sequence[Run],
    every: Iterable[Run],
    tag: str | None,
    step: int | float | None,
    metric: str | None,
    limit: float | None,
    mode: str,
) -> SampleDifference:
    """Compare two runs among ``every``; arguments and errors as of `Runs.diff_samples`."""
    for name, side in zip("AB", (a, b), strict=True):
        if len(side) != 1:
            raise QueryError(
                "samples are compared between two runs, but {name} means {n}: {names}",
                name=name,
                n=len(side),
                names=", ".join(run.name for run in side[:5]),
            )
    first = predictions_of(a[0], tag, step)
    tag = first.name.removesuffix(PREDICTIONS)
    meant = [(run.directory, run.logs.number) for run in (a[0], b[0])]
    others = (run for run in every if (run.directory, run.logs.number) not in meant)
    rest = _tables_of(others, tag, step)
    return diff_predictions(
        first, predictions_of(b[0], tag, step), rest, metric=metric, limit=limit, mode=mode
    )


def label_errors_of(runs: Sequence[Run], tag: str | None, step: int | float | None) -> LabelErrors:
    """Find label errors by the scores of runs; arguments and errors as of `Runs.label_errors`."""
    with_tables = [run for run in runs if any(name.endswith(PREDICTIONS) for name in run.logs.tables.names())]
    if not with_tables:
        raise QueryError("none of {n} runs has a table of predictions", n=len(runs))
    first = predictions_of(with_tables[0], tag, step)
    tag = first.name.removesuffix(PREDICTIONS)
    return find_label_errors([first, *_tables_of(with_tables[1:], tag, step)])


def _tables_of(runs: Iterable[Run], tag: str, step: int | float | None) -> Iterator[PredictionTable]:
    """The tables of the runs that have one; those that cannot be read are `Run.problems`."""
    for run in runs:
        with suppress(UnknownNameError, DataError):
            yield predictions_of(run, tag, step)


def diff_predictions(
    a: PredictionTable,
    b: PredictionTable,
    others: Iterable[PredictionTable] = (),
    *,
    metric: str | None = None,
    limit: float | None = None,
    mode: str = "auto",
) -> SampleDifference:
    """Compare the predictions of two runs; arguments as of `Runs.diff_samples`.

    Args:
        a, b: the two tables.
        others: those of the other runs, for samples that all get wrong.
        metric: a column of numbers or bools, or ``"correct"``; by default that of the task.
        limit: the value of the metric from which on a sample is right.
        mode: the better direction of the metric.

    Raises:
        QueryError: a table lacks the column, or they share no sample.
        DataError: a metric whose name does not tell which value is best.
    """
    name = a.metric if metric is None else metric
    mode = _MODES.get(name, mode) if mode == "auto" else mode
    before, after = a.numbers(name), b.numbers(name)
    if before.dtype.kind != "b" or limit is not None:
        mode = direction(name, mode)
    if limit is not None:
        before, after = (table.right(name, limit, mode) for table in (a, b))
    judged = before.dtype.kind == "b"
    pairs = pair_rows(a.column("id"), b.column("id"))
    before, after = before[pairs.a], after[pairs.b]
    known = np.isfinite(before) & np.isfinite(after)
    unknown = len(known) - int(known.sum())
    if unknown:
        pairs = pairs._replace(a=pairs.a[known], b=pairs.b[known])
        before, after = before[known], after[known]
    if not len(before):
        raise _nothing_shared(a, b, unknown)
    change = after.astype(np.int8) - before if judged else after.astype(np.float64) - before
    better = change if judged or mode == "max" else -change
    runs, always = 2, np.zeros(len(before), np.bool_)
    if judged:
        runs, always = _always_wrong(a, pairs.a, ~(before | after), others, (name, limit, mode))
    tested = PairedMean(
        math.nan, math.nan, math.nan, mcnemar(*map(int, ((better > 0).sum(), (better < 0).sum())))
    )
    if not judged:
        tested = paired_bootstrap(change)
    labels = [
        table.columns["label"][rows]
        for table, rows in ((a, pairs.a), (b, pairs.b))
        if "label" in table.columns
    ]
    return SampleDifference(
        table=a.name,
        a=a.run,
        b=b.run,
        steps=(a.step, b.step),
        metric=name,
        limit=limit,
        mode=mode,
        n=len(before),
        only_a=pairs.only_a,
        only_b=pairs.only_b,
        repeated=pairs.repeated,
        unnamed=pairs.unnamed,
        unknown=unknown,
        relabelled=int((~equal_rows(*labels)).sum()) if len(labels) == 2 else 0,
        mean_a=float(before.mean()),
        mean_b=float(after.mean()),
        low=tested.low,
        high=tested.high,
        p=tested.p,
        runs=runs,
        _matched=Matched(a, b, pairs, before, after, better, always),
    )


def _always_wrong(
    a: PredictionTable,
    rows: Indices,
    both_wrong: Bools,
    others: Iterable[PredictionTable],
    judged: tuple[str, float | None, str],
) -> tuple[int, Bools]:
    """The number of runs, and which samples (n,) are wrong in all that have them with the same label."""
    places = np.flatnonzero(both_wrong)
    some = a.columns.take(rows[places])
    wrong, runs = np.ones(len(places), np.bool_), 2
    for other in others:
        try:
            right = other.right(*judged)
            pairs = pair_rows(some["id"], other.column("id"))
        except QueryError:  # another kind of table under the same name
            continue
        runs += 1
        found = right[pairs.b]
        if "label" in some and "label" in other.columns:
            found = found & equal_rows(some["label"][pairs.a], other.columns["label"][pairs.b])
        wrong[pairs.a[found]] = False
    out = np.zeros(len(both_wrong), np.bool_)
    out[places[wrong]] = True
    return runs, out


def _nothing_shared(a: PredictionTable, b: PredictionTable, unknown: int) -> QueryError:
    if unknown:
        return QueryError("none of the {n} samples has a finite metric in both runs", n=unknown)
    first, second = (describe(row_values(table.columns["id"][:3])) for table in (a, b))
    return QueryError(
        "no sample is in both tables: ids of A are such as {first}, of B such as {second}",
        first=first,
        second=second,
    )
