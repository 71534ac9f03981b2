"""Scatter matrices: the drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import vizkit
from tests.unit.conftest import Write
from vizkit import Runs, plots
from vizkit.media.palette import color


def test_a_scatter_matrix_is_a_triangle(runs: Runs) -> None:
    plot = plots.scatter_matrix(runs, "acc", hparams=["lr", "batch size"])
    assert set(plot.cells) == {(0, 0), (1, 0), (1, 1)}
    points = plot.cells[1, 1].get_lines()
    assert [point.get_color() for point in points] == [color(run.position) for run in runs]
    assert [float(np.asarray(point.get_xdata())[0]) for point in points] == [32, 64, 32, 64]


def test_a_wide_range_is_logarithmic_and_long_names_are_turned(write: Write, tmp_path: Path) -> None:
    for k in range(14):
        optimizer = ("momentum", "adam with decay", "lamb")[k % 3]
        write(f"run{k}", {"acc": [k / 14]}, {"lr": 10.0**-k, "optimizer": optimizer})
    plot = plots.scatter_matrix(vizkit.load(tmp_path), "acc")
    plot.figure.draw_without_rendering()
    assert plot.cells[1, 0].xaxis.get_major_formatter()(-3.0, 0) == "0.001"  # of more values than ticks
    turned = plot.cells[1, 1].get_xticklabels()
    assert {text.get_rotation() for text in turned} == {40.0}
    assert [text.get_text() for text in turned] == ["adam … decay", "lamb", "momentum"]
