"""Scatter matrices: the drawing."""

from __future__ import annotations

import numpy as np

from vizkit import Runs, plots
from vizkit.media.palette import color


def test_a_scatter_matrix_is_a_triangle(runs: Runs) -> None:
    plot = plots.scatter_matrix(runs, "acc", hparams=["lr", "batch size"])
    assert set(plot.cells) == {(0, 0), (1, 0), (1, 1)}
    points = plot.cells[1, 1].get_lines()
    assert [point.get_color() for point in points] == [color(k) for k in range(4)]
    assert [float(np.asarray(point.get_xdata())[0]) for point in points] == [32, 64, 32, 64]
