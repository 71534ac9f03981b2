"""Images: data and drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.helpers import log_of
from vizkit import Runs, VizKitWarning, plots
from vizkit.errors import DataError, UnknownNameError
from vizkit.plots._images import images_data


def test_images_stand_in_rows_and_columns(runs: Runs) -> None:
    plot = plots.images(runs[:2], "sample")
    assert set(plot.cells) == {(row, column) for row in range(2) for column in range(3)}
    assert np.array_equal(np.asarray(plot.cells[1, 2].get_array()), runs[1].images("sample")[2])
    assert [text.get_text() for text in plot.ax.get_xticklabels()] == ["step 0", "step 20", "step 39"]


def test_images_stand_at_their_steps(tmp_path: Path) -> None:
    recorded: dict[str, tuple[int, ...]] = {"run1": (0, 10, 20), "run2": (0, 13), "run3": ()}
    for name, steps in recorded.items():
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            writer.add_scalar("loss", 1.0, 0)
            for step in steps:
                writer.add_image("sample", np.full((2, 3, 3), step, np.uint8), step)
    runs = vizkit.load(tmp_path)
    data = images_data(runs, "sample", steps=[0, 15, 20])
    assert data.names == ("run1", "run2")
    assert np.array_equal(data.steps, np.array([[0, 10, 20], [0, 13, np.nan]]), equal_nan=True)
    assert data.pixels[1][2] is None and data.pixels[1][1] is not None
    assert (data.pixels[1][1] == 13).all() and data.pixels[1][1].shape == (2, 3, 3)
    assert images_data(runs, "sample").columns.tolist() == [0, 10, 13, 20]
    assert images_data(runs, "sample", most=2).columns.tolist() == [0, 20]
    with pytest.raises(UnknownNameError, match="closest: 'sample'"):
        images_data([runs["run3"], runs["run1"]], "samples")
    with pytest.raises(DataError, match="at or before step -1"):
        images_data(runs, "sample", steps=[-1])


def test_a_run_without_an_image_leaves_a_gap_and_another_step_is_written(tmp_path: Path) -> None:
    recorded: dict[str, tuple[int, ...]] = {"run1": (0, 10), "run2": (0,)}
    for name, steps in recorded.items():
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            for step in steps:
                writer.add_image("sample", np.full((2, 3, 3), step, np.uint8), step)
    runs = vizkit.load(tmp_path)
    plot = plots.images(runs, "sample", steps=[0, 12])
    assert set(plot.cells) == {(0, 0), (0, 1), (1, 0)}
    assert [text.get_text() for text in plot.ax.texts] == ["10"]
    with pytest.raises(DataError, match="steps is empty"):
        plots.images(runs, "sample", steps=[])


def test_a_broken_image_is_left_out_and_the_others_are_shown(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path)) as writer:
        for step in range(3):
            writer.add_image("sample", np.full((2, 3, 3), 100 + step, np.uint8), step)
    log = log_of(tmp_path)
    parts = log.read_bytes().split(b"IDAT")
    log.write_bytes(b"IDAT".join(parts[:2]) + b"IDUT" + b"IDAT".join(parts[2:]))
    with pytest.warns(VizKitWarning, match="sample: 1 of 3 records left out: image 1 of 'sample'"):
        data = images_data(vizkit.load(tmp_path), "sample")
    assert np.array_equal(data.steps, [[0, np.nan, 2]], equal_nan=True)
    (first, broken, last), *_ = data.pixels
    assert broken is None and first is not None and last is not None
    assert (first == 100).all() and (last == 102).all()
