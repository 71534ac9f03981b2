"""Histograms: data and drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.helpers import log_of
from vizkit import Runs, VizKitWarning, plots
from vizkit.errors import DataError
from vizkit.plots._histogram import histogram_data


def test_ridges_go_up_with_the_steps(runs: Runs) -> None:
    plot = plots.histogram(runs[0], "w")
    assert [text.get_text() for text in plot.ax.get_yticklabels()] == ["0", "20", "39"]
    bottoms = [np.asarray(ridge.get_paths()[0].vertices)[:, 1].min() for ridge in plot.ridges]
    assert bottoms == [0, 1, 2]
    heat = plots.histogram(runs[0], "w", kind="heatmap")
    assert heat.image is not None
    assert np.asarray(heat.image.get_array()).shape == (100, 3) and heat.ax.get_xlim() == (-10.0, 48.5)
    with pytest.raises(DataError, match="kind"):
        plots.histogram(runs[0], "w", kind="violin")  # type: ignore[arg-type]


def test_histograms_are_brought_to_the_same_buckets(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_histogram("w", np.array([0.0, 1.0, 1.0, np.nan]), 0, buckets=2)
        writer.add_histogram("w", np.array([-1.0, 3.0]), 7, buckets=4)
    data = histogram_data(vizkit.load(tmp_path)[0], "w", bins=8)
    assert data.edges.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert data.shares[0] == pytest.approx([0, 0, 1 / 3, 2 / 3, 0, 0, 0, 0])
    assert data.shares[1] == pytest.approx([0.25, 0.25, 0, 0, 0, 0, 0.25, 0.25])
    assert data.steps.tolist() == [0, 7] and data.others.tolist() == [1, 0]


def test_of_many_histograms_the_first_and_the_last_are_shown(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(40):
            writer.add_histogram("w", np.full(3, np.nan) if step == 0 else np.arange(3.0), step)
    data = histogram_data(vizkit.load(tmp_path)[0], "w")
    assert len(data.steps) == 16 and data.steps[0] == 0 and data.steps[-1] == 39
    assert data.shares[0].sum() == 0 and data.shares[1].sum() == pytest.approx(1)


def test_values_that_are_not_finite_are_told(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_histogram("w", np.array([0.0, 1.0, np.nan, np.inf]), 5)
    run = vizkit.load(tmp_path)[0]
    ridges = plots.histogram(run, "w")
    assert "2 NaN or Inf" in [text.get_text() for text in ridges.ax.texts]
    heat = plots.histogram(run, "w", kind="heatmap")
    (marks,) = heat.ax.get_lines()
    assert np.asarray(marks.get_xdata()).tolist() == [5] and heat.ax.get_xlim() == (4.5, 5.5)


@pytest.mark.parametrize("length", [b"\x12\x19", b"\x1a\x18"], ids=["torn", "without edges"])
def test_a_broken_histogram_is_left_out_and_the_others_are_shown(tmp_path: Path, length: bytes) -> None:
    with vizkit.LogWriter(str(tmp_path)) as writer:
        for step in range(3):
            writer.add_histogram("w", np.array([step, step + 2.0]), step, buckets=2)
    log = log_of(tmp_path)
    edges = np.array([1.0, 2.0, 3.0]).tobytes()
    log.write_bytes(log.read_bytes().replace(b"\x12\x18" + edges, length + edges))
    with pytest.warns(VizKitWarning, match="w: 1 of 3 records left out"):
        data = histogram_data(vizkit.load(tmp_path)[0], "w", bins=4)
    assert data.steps.tolist() == [0, 2] and data.edges.tolist() == [0, 1, 2, 3, 4]
    assert np.allclose(data.shares, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
