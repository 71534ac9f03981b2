"""Curves of runs and groups, and limits of the y axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vizkit
from tests.unit.conftest import Write
from vizkit.curves.curves import curves_data
from vizkit.curves.means import Band
from vizkit.errors import DataError

BANDS: list[Band] = ["ci", "se", "std", "minmax"]


def test_groups_have_a_mean_and_a_band(write: Write, tmp_path: Path) -> None:
    write("a", {"reward": [0.0, 1.0, 2.0]}, {"batch size": 128})
    write("b", {"reward": [2.0, 3.0, 4.0]}, {"batch size": 128})
    write("c", {"reward": [5.0, 5.0, 5.0]}, {"batch size": 32})
    runs = vizkit.load(tmp_path)
    single, pair = curves_data(runs, "reward", by="batch size").series
    assert (single.name, single.runs, single.low) == ("batch size = 32", 1, None)
    assert (pair.name, pair.runs) == ("batch size = 128", 2)
    assert pair.y.tolist() == [1.0, 2.0, 3.0]
    deviation = np.sqrt(2.0)
    assert pair.low == pytest.approx(pair.y - deviation) and pair.high == pytest.approx(pair.y + deviation)
    extremes = curves_data(runs, "reward", by="batch size", band="minmax").series[1]
    assert extremes.low is not None and extremes.low.tolist() == [0, 1, 2]
    assert extremes.high is not None and extremes.high.tolist() == [2, 3, 4]
    interval = curves_data(runs, "reward", by="batch size", band="ci").series[1]
    assert interval.high is not None
    assert interval.high - interval.y == pytest.approx(12.706, rel=1e-4)  # t(0.975, 1) * sqrt(2) / sqrt(2)
    assert curves_data(runs, "reward", by="batch size", band=None).series[1].low is None


def test_groups_of_several_hyper_parameters_and_of_none(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.5]}, {"lr": 0.001, "optimizer": "Adam"})
    write("b", {"acc": [0.5]}, {"lr": 0.001})
    names = [line.name for line in curves_data(vizkit.load(tmp_path), "acc", by=["lr", "optimizer"]).series]
    assert names == ["lr = 0.001, optimizer = Adam", "lr = 0.001, optimizer = None"]


def test_limits_leave_far_values_out_and_count_them(write: Write, tmp_path: Path) -> None:
    values = np.linspace(1.0, 2.0, 200)
    values[[50, 60]], values[70], values[80] = 1e6, -1e6, np.inf
    write("run", {"loss": values})
    data = curves_data(vizkit.load(tmp_path), "loss", outliers=False)
    assert data.limits is not None and 0.0 < data.limits[0] <= 1.0 and 2.0 <= data.limits[1] < 3.1
    assert (data.above, data.below) == (2, 1)
    shown = curves_data(vizkit.load(tmp_path), "loss")
    assert (shown.limits, shown.above, shown.below) == (None, 0, 0)
    logarithmic = curves_data(vizkit.load(tmp_path), "loss", outliers=False, log_y=True)
    assert (logarithmic.above, logarithmic.below, logarithmic.hidden) == (2, 0, 1)


@pytest.mark.parametrize("options", [{"smooth": 1.0}, {"smooth": -0.1}, {"band": "sd"}, {"x": "steps"}])
def test_senseless_options_are_refused(options: Any, write: Write, tmp_path: Path) -> None:
    write("run", {"loss": [1.0]})
    with pytest.raises(DataError, match=str(next(iter(options)))):
        curves_data(vizkit.load(tmp_path), "loss", **options)


def test_equal_values_have_no_limits(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [1.0, 1.0]})
    assert curves_data(vizkit.load(tmp_path), "acc", outliers=False).limits is None


def test_a_curve_over_another_tag(write: Write, tmp_path: Path) -> None:
    write("a", {"loss": [3.0, 2.0, 1.0], "acc": [0.1, 0.5, 0.9]})
    (curve,) = curves_data(vizkit.load(tmp_path), "loss", x="acc").series
    assert (curve.x.tolist(), curve.y.tolist()) == ([0.1, 0.5, 0.9], [3, 2, 1])


def test_the_interval_of_an_accuracy_stays_within_its_bounds(write: Write, tmp_path: Path) -> None:
    for number, value in enumerate((0.9, 0.99, 1.0)):
        write(f"run{number}", {"eval/acc": [value, 1.0]}, {"lr": 0.1})
    for band in BANDS:
        (curve,) = curves_data(vizkit.load(tmp_path), "eval/acc", by="lr", band=band).series
        assert curve.low is not None and curve.high is not None
        assert 0 < curve.low[0] < curve.y[0] < curve.high[0] <= 1
        assert curve.low[1] == curve.high[1] == 1.0
