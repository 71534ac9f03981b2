"""Statistics of runs: their best values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit import LogWriter, Runs, UnknownNameError
from vizkit.curves.summaries import quick_summary
from vizkit.runs.statistics import best_of_each, best_of_run


def test_runs_without_a_value_have_none(runs: Runs) -> None:
    assert (
        best_of_run(runs["run1"], "eval/acc") == 0.9 and best_of_run(runs["run1"], "eval/acc", "min") == 0.5
    )
    assert best_of_run(runs["media"], "eval/acc") is None
    assert np.array_equal(best_of_each(runs, "eval/acc"), [0.9, 0.75, 0.2, np.nan], equal_nan=True)


def test_nothing_but_nan_has_no_best(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("acc", float("nan"), 0)
    runs = vizkit.load(tmp_path)
    assert best_of_run(runs[0], "acc") is None
    with pytest.raises(UnknownNameError, match="all 1 values of 'acc' of 'run' are NaN"):
        runs[0].best("acc")
    with pytest.raises(UnknownNameError, match="all values of 'acc' are NaN, in every run"):
        runs.best("acc")


@pytest.mark.parametrize(("mode", "infinite"), [("min", np.inf), ("max", -np.inf)])
def test_nan_is_never_the_best_beside_infinities(tmp_path: Path, mode: str, infinite: float) -> None:
    for name, values in {"a": [np.nan], "b": [np.nan, infinite, np.nan]}.items():
        with vizkit.Tracker(tmp_path / name, metrics=["eval/acc"], system=False) as tracker:
            for step, value in enumerate(values):
                tracker.log({"eval/acc": value}, step=step)
    runs = vizkit.load(tmp_path)
    assert runs.best("eval/acc", mode).name == "b"
    best = runs["b"].best("eval/acc", mode)
    assert (best.step, best.value) == (1, infinite)
    summary = runs["b"].summary("eval/acc")
    assert summary.min == summary.max == best and summary.nan == 2
    quick = quick_summary(runs["b"], "eval/acc")
    assert (quick.min, quick.max) == (best, best)
