"""The numbers that a chart carries along are those that were recorded."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit.curves.curves import curves_data
from vizkit.curves.smoothing import smoothed, smoothing

from .unpacking import Carried

N = 3000


def values(seed: int) -> list[float]:
    found = np.random.default_rng(seed).normal(size=N).cumsum()
    found[1234] = 1e6 + seed  # a spike
    found[1500] = np.nan
    found[1501] = np.inf
    return list(map(float, found))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> vizkit.Runs:
    log = tmp_path_factory.mktemp("log")
    for seed in range(4):
        hparams = {"lr": seed % 2, "seed": seed}
        with vizkit.Tracker(log / f"run{seed}", hparams=hparams, metrics=["loss"]) as tracker:
            for step, value in enumerate(values(seed)[: N - 500 * (seed == 3)]):
                tracker.log({"loss": value, "half": step / 2}, step=3 * step)
    return vizkit.load(log)


def test_short_curves_are_there_with_all_their_points(runs: vizkit.Runs) -> None:
    carried = Carried(runs.chart("loss"))
    curves = carried.curves()
    assert list(curves) == ["run0", "run1", "run2", "run3"] and carried.head["stretches"] == 0
    for seed in range(4):
        curve = curves[f"run{seed}"]
        expected = values(seed)[: N - 500 * (seed == 3)]
        assert curve["kind"] == "points" and carried.head["levels"] == []
        np.testing.assert_array_equal(carried.array(curve["arrays"], "y"), expected)
        np.testing.assert_array_equal(carried.array(curve["arrays"], "x"), 3.0 * np.arange(len(expected)))
    assert len({curve["color"] for curve in curves.values()}) == 4


def test_numbers_take_the_room_that_they_need(runs: vizkit.Runs) -> None:
    arrays = Carried(runs.chart(["loss", "half"])).curves()["run1 half"]["arrays"]
    assert arrays["x"]["type"] == arrays["y"]["type"] == "ramp"
    assert Carried(runs.chart("loss")).curves()["run1"]["arrays"]["y"]["type"] == "float64"


def test_long_curves_are_there_in_their_extremes(runs: vizkit.Runs) -> None:
    carried = Carried(runs.chart("loss", points=2000, smooth=0.5))
    assert carried.head["levels"] == ["0", "0.5", "0.6", "0.9", "0.99"]
    for seed in range(3):
        curve = carried.curves()[f"run{seed}"]
        assert curve["kind"] == "columns" and curve["n"] == N
        all_of_them = np.array(values(seed))
        x, least, greatest = (carried.array(curve["arrays"], name) for name in ("x", "least", "greatest"))
        starts = np.append((x / 3).astype(int), N)
        assert carried.head["stretches"] <= len(x)
        for column, (first, last) in enumerate(pairwise(starts.tolist())):
            part = all_of_them[first:last]
            finite = part[np.isfinite(part)]
            assert (least[column], greatest[column]) == (finite.min(), finite.max())
        assert (
            carried.array(curve["arrays"], "nan").sum() == carried.array(curve["arrays"], "above").sum() == 1
        )
        smooth = smoothed(all_of_them, smoothing(0.9))
        assert carried.array(curve["smooth"]["0.9"], "greatest").max() == smooth[np.isfinite(smooth)].max()


def test_means_are_those_of_plots(runs: vizkit.Runs) -> None:
    carried = Carried(runs.chart("half", by="lr", band="minmax", partial="stop"))
    expected = curves_data(runs, "half", by="lr", band="minmax", partial="stop")
    assert list(carried.curves()) == [curve.name for curve in expected.series]
    for mean in expected.series:
        arrays = carried.curves()[mean.name]["arrays"]
        assert mean.low is not None and mean.high is not None and mean.n is not None
        for name, numbers in {
            "x": mean.x,
            "y": mean.y,
            "low": mean.low,
            "high": mean.high,
            "reach": mean.n,
        }.items():
            np.testing.assert_array_equal(carried.array(arrays, name), numbers)
    carried = Carried(runs.chart("half", by="lr"))
    whole = carried.curves()["lr = 1"]
    reach = carried.array(whole["arrays"], "reach")
    assert whole["members"] == 2 and set(reach.tolist()) == {1, 2}


def test_means_of_long_runs_are_there_in_their_extremes(runs: vizkit.Runs) -> None:
    carried = Carried(runs.chart("half", by="lr", points=1000))
    mean = curves_data(runs, "half", by="lr").series[0]
    curve = carried.curves()[mean.name]
    assert curve["kind"] == "columns"
    assert carried.array(curve["arrays"], "greatest").max() == mean.y.max()
    assert set(curve["smooth"]) == {"0.6", "0.9", "0.99"} and "low" in curve["smooth"]["0.9"]


def test_a_smoothing_that_the_page_cannot_do_is_there(runs: vizkit.Runs) -> None:
    carried = Carried(runs.chart("loss", smooth="gaussian:20"))
    assert carried.head["levels"] == ["0", "gaussian:20"] and carried.head["smooth"] == "gaussian:20"
    smooth = carried.curves()["run2"]["smooth"]["gaussian:20"]
    expected = smoothed(np.array(values(2)), smoothing("gaussian:20"))
    np.testing.assert_array_equal(carried.array(smooth, "y"), expected)


def test_tags_of_one_run_differ_in_colour_those_of_several_in_dashes(runs: vizkit.Runs) -> None:
    one = Carried(runs[0].chart("*")).curves().values()
    assert len({curve["color"] for curve in one}) == 2 and {curve["dash"] for curve in one} == {0}
    several = Carried(runs.chart(["loss", "half"])).curves()
    assert several["run0 loss"]["color"] == several["run0 half"]["color"]
    assert (several["run0 loss"]["dash"], several["run0 half"]["dash"]) == (0, 1)


def test_expressions_are_those_of_plots(runs: vizkit.Runs) -> None:
    carried = Carried(runs.chart("{loss} - {half}"))
    (expected, *_) = curves_data(runs, "{loss} - {half}").series
    np.testing.assert_array_equal(carried.array(carried.curves()["run0"]["arrays"], "y"), expected.y)


def test_axes_are_those_of_plots(runs: vizkit.Runs) -> None:
    carried = Carried(runs.chart("loss", x="half", log="x", outliers=False))
    assert (carried.head["xlog"], carried.head["ylog"], carried.head["robust"]) == (True, False, True)
    np.testing.assert_array_equal(carried.array(carried.curves()["run0"]["arrays"], "x"), np.arange(N) / 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"band": "wide"}, "band must be"),
        ({"log": "z"}, "log must be"),
        ({"points": 0}, "points must be"),
        ({"smooth": 2}, "smooth must"),
        ({"x": "nowhere"}, "x must be"),
        ({"x": "epoch"}, "epoch"),
        ({"by": "nothing"}, "nothing"),
    ],
)
def test_wrong_arguments_are_refused(runs: vizkit.Runs, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(vizkit.VizKitError, match=message):
        runs.chart("loss", **wrong)  # type: ignore[arg-type]
    with pytest.raises(vizkit.UnknownNameError, match="lost"):
        runs.chart("lost")


def test_a_run_without_finite_values_has_none_to_tell(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run") as tracker:
        tracker.log({"loss": math.nan}, step=0)
    chart = vizkit.load(tmp_path).chart("loss")
    assert "<td>1</td><td>nan</td><td></td><td></td>" in chart.html
