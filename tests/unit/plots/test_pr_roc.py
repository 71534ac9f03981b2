"""PR and ROC curves: data and drawing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.plots.conftest import LABELS, SCORES
from vizkit import Runs, plots
from vizkit.errors import DataError, UnknownNameError
from vizkit.metrics.pr_roc import compute_pr_curve, compute_roc_curve


def test_rates_say_their_area_and_chance(runs: Runs) -> None:
    plot = plots.pr_curve(runs, "eval/pr/1")
    assert plot.legend is not None and plot.chance is not None
    assert [text.get_text() for text in plot.legend.get_texts()] == [
        f"{rate.name}  AP {rate.area:.3f}" for rate in plot.data
    ]
    assert plot.lines["run1"].get_drawstyle() == "steps-post"
    assert np.asarray(plot.chance.get_ydata())[0] == pytest.approx(1 / 3)
    alone = plots.roc_curve(runs[0], "eval/roc/1")
    assert alone.ax.get_title(loc="left") == f"run0  eval/roc/1  AUC {alone.data[0].area:.3f}"


def test_curves_of_all_classes_or_of_one(classifiers: Runs) -> None:
    every = plots.pr_curve(classifiers[0], "eval/pr").data
    assert [rate.name for rate in every] == ["0", "1", "2"]
    assert [rate.position for rate in every] == [0, 1, 2]
    (one,) = plots.pr_curve(classifiers[0], "eval/pr/2", step=5).data
    expected = compute_pr_curve(LABELS == 2, SCORES[:, 2])
    assert np.array_equal(one.x, expected.recall) and np.array_equal(one.y, expected.precision)
    assert one.area == pytest.approx(expected.ap) and one.chance == pytest.approx(1 / 3)
    both = plots.pr_curve(classifiers, "eval/pr/2").data
    assert [(rate.name, rate.position) for rate in both] == [(run.name, run.position) for run in classifiers]
    assert [rate.name for rate in plots.pr_curve(classifiers, "eval/pr").data][:2] == ["run1 0", "run1 1"]


def test_roc_curves_end_where_nothing_is_predicted(classifiers: Runs) -> None:
    (one,) = plots.roc_curve(classifiers[0], "eval/roc/1").data
    assert (one.x[0], one.y[0], one.x[-1], one.y[-1]) == (1.0, 1.0, 0.0, 0.0)
    assert one.area == pytest.approx(compute_roc_curve(LABELS == 1, SCORES[:, 1]).auc)


def test_curves_need_no_run() -> None:
    good, bad = compute_pr_curve(LABELS == 2, SCORES[:, 2]), compute_pr_curve(LABELS == 2, SCORES[:, 0])
    assert [rate.area for rate in plots.pr_curve({"good": good, "bad": bad}).data] == [good.ap, bad.ap]
    assert [rate.name for rate in plots.pr_curve([good, bad]).data] == ["0", "1"]
    assert plots.pr_curve(good).data[0].name == ""
    with pytest.raises(DataError, match="of runs or of ROCCurves"):
        plots.roc_curve(good)  # type: ignore[arg-type]


def test_what_is_not_recorded_is_named(classifiers: Runs) -> None:
    with pytest.raises(UnknownNameError, match="eval/pr/0"):
        plots.pr_curve(classifiers, "eval/pr/7")
    with pytest.raises(DataError, match="no record at step 7; the nearest are 5, 10"):
        plots.pr_curve(classifiers[0], "eval/pr/0", step=7)
    with pytest.raises(DataError, match="give tag"):
        plots.pr_curve(classifiers)
