"""A mean over runs of different lengths says, in every view, where fewer runs are in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.unit.cli.commands import start
from vizkit.curves.curves import curves_data
from vizkit.errors import DataError
from vizkit.plots.terminal import draw


@pytest.fixture
def runs(tmp_path: Path) -> vizkit.Runs:
    """Two optimizers that end at 0.9, and one that diverged and is twice as long."""
    for name, last, length in (("adam", 0.92, 40), ("sgd", 0.9, 40), ("wild", 0.1, 80)):
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_hparams({"lr": 0.1, "optimizer": name}, ["acc"])
            for step in range(length):
                writer.add_scalar("acc", last, step)
    return vizkit.load(tmp_path)


def test_the_data_step_counts_the_runs_at_each_x(runs: vizkit.Runs) -> None:
    (line,) = curves_data(runs, "acc", by="lr").series
    assert line.n is not None and line.n.tolist() == [3] * 40 + [1] * 40
    assert line.fewer.tolist() == [False] * 40 + [True] * 40
    assert line.runs_text == "3 runs, dotted: 1"
    whole, part = line.parts(line.y)
    assert np.nanmin(whole) == pytest.approx(0.64) and np.isnan(whole[40:]).all()
    assert part[39] == whole[39] and (part[40:] == 0.1).all() and np.isnan(part[:39]).all()


def test_the_mean_stops_where_the_first_run_ends(runs: vizkit.Runs) -> None:
    (line,) = curves_data(runs, "acc", by="lr", partial="stop").series
    assert line.x.tolist() == list(range(40)) and not line.fewer.any()
    assert line.y.min() == pytest.approx(0.64) and line.runs_text == "3 runs"
    with pytest.raises(DataError, match="partial"):
        curves_data(runs, "acc", by="lr", partial="hide")  # type: ignore[arg-type]


def test_runs_that_become_nan_or_start_late_count_too(tmp_path: Path) -> None:
    for name, values in (("a", [0.5, 0.5, np.nan]), ("b", [np.nan, 0.7, 0.7])):
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_hparams({"lr": 0.1}, ["acc"])
            for step, value in enumerate(values):
                writer.add_scalar("acc", value, step)
    (line,) = curves_data(vizkit.load(tmp_path), "acc", by="lr").series
    assert line.n is not None and line.n.tolist() == [1, 2, 1]


def test_runs_that_share_no_step_are_dotted_all_along(tmp_path: Path) -> None:
    for name, first in (("a", 0), ("b", 10)):
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_hparams({"lr": 0.1}, ["acc"])
            for step in range(first, first + 3):
                writer.add_scalar("acc", 0.5, step)
    for partial in ("dotted", "stop"):
        (line,) = curves_data(vizkit.load(tmp_path), "acc", by="lr", partial=partial).series
        assert line.fewer.all() and len(line.x) == 6


def test_the_plot_is_dotted_there_and_its_title_says_so(runs: vizkit.Runs) -> None:
    plot = runs.plot("acc", by="lr")
    (dotted,) = plot.partial.values()
    assert dotted.get_linestyle() == ":" and np.asarray(dotted.get_xdata(), float).max() == 79
    (solid,) = plot.lines.values()
    assert np.nanmin(np.asarray(solid.get_ydata(), float)) == pytest.approx(0.64)
    assert plot.marks == [] and "3 runs, dotted: 1" in plot.ax.get_title(loc="left")
    assert runs.plot("acc", by="lr", partial="stop").partial == {}
    assert runs.plot("acc").partial == {}


def test_the_terminal_is_dotted_there_and_says_so(runs: vizkit.Runs) -> None:
    drawing = str(draw(curves_data(runs, "acc", by="lr"), 60, 8))
    assert "last 0.1 of 1  (3 runs, dotted: 1)" in drawing
    (row,) = (line for line in drawing.split("\n") if line.count("⣀") > 3 and " ⣀ ⣀" in line)
    assert "⣀⣀" not in row
    assert "dotted" not in str(draw(curves_data(runs, "acc", by="lr", partial="stop"), 60, 8))


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("options", "n"), [((), [3] * 40 + [1] * 40), (("--partial", "stop"), [3] * 40)])
def test_the_command_says_n_and_stops_if_told(tmp_path: Path, options: tuple[str, ...], n: list[int]) -> None:
    process = start("plot", "acc", "--by", "lr", "-d", tmp_path, "--json", *options, cwd=tmp_path)
    out, _ = process.communicate(timeout=100)
    assert json.loads(out)["series"][0]["n"] == n
