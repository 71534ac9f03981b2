"""The course of a search: data and drawing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

import vizkit
from vizkit.plots import trials
from vizkit.plots._trials import trials_data
from vizkit.sweeps.space import Value


def test_the_best_so_far_passes_over_trials_without_a_value() -> None:
    values = [math.nan, 0.5, 0.4, math.nan, 0.9, 0.7]
    np.testing.assert_array_equal(trials_data(values, "acc", "max").best, [math.nan, 0.5, 0.5, 0.5, 0.9, 0.9])
    np.testing.assert_array_equal(
        trials_data(values, "loss", "min").best, [math.nan, 0.5, 0.4, 0.4, 0.4, 0.4]
    )
    assert len(trials_data([], "acc", "max").best) == 0


def test_points_spreads_and_trials_without_a_value_are_drawn() -> None:
    plot = trials([0.5, math.nan, 0.9], metric="eval/acc", mode="max", spreads=[0.1, math.nan, math.nan])
    line, _, (bars,) = plot.points.lines
    assert line is not None
    assert np.asarray(line.get_xydata()).tolist() == [[0, 0.5], [2, 0.9]]
    heights = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(heights, [0.2, 0], atol=1e-12)
    assert np.asarray(plot.best.get_ydata()).tolist() == [0.5, 0.5, 0.9]
    assert np.asarray(plot.without.get_xdata()).tolist() == [1]
    assert plot.ax.get_ylabel() == "eval/acc"


def test_a_sweep_draws_itself(tmp_path: Path) -> None:
    def train(hparams: dict[str, Value], tracker: vizkit.Tracker) -> None:
        rate = hparams["lr"]
        assert isinstance(rate, int)
        if rate == 2:
            raise ValueError
        tracker.log({"eval/loss": 10 - rate}, step=0)

    result = vizkit.sweep(train, {"lr": [1, 2, 3]}, logdir=tmp_path, metric="eval/loss", quiet=True)
    plot = result.plot()
    np.testing.assert_array_equal(plot.data.values, [9, math.nan, 7])
    np.testing.assert_array_equal(plot.data.best, [9, 9, 7])
