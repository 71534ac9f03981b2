"""Confusion matrices: data and drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit import Runs, plots
from vizkit.errors import DataError
from vizkit.plots import confusion_matrix


def test_a_confusion_matrix_has_its_numbers(runs: Runs) -> None:
    plot = plots.confusion_matrix(runs[0])
    assert [text.get_text() for text in plot.numbers] == [f"{n:.0f}" for n in plot.data.counts.ravel()]
    assert np.array_equal(np.asarray(plot.image.get_array()), plot.data.counts)
    large = plots.confusion_matrix(np.eye(60))
    assert large.numbers == [] and len(large.ax.get_xticks()) == 30


def test_a_confusion_matrix_comes_from_the_log(classifiers: Runs) -> None:
    data = plots.confusion_matrix(classifiers[0]).data
    assert data.names == ("cat", "dog", "eel")
    assert data.counts.tolist() == [[2, 0, 0], [0, 2, 0], [1, 0, 1]]
    assert data.accuracy == pytest.approx(5 / 6)
    assert plots.confusion_matrix(classifiers[0], normalize="true").data.shares[2].tolist() == [0.5, 0, 0.5]
    with pytest.raises(DataError, match=r"shows one run, got 2.*runs\['run1'\]"):
        plots.confusion_matrix(classifiers)


def test_a_confusion_matrix_of_counts() -> None:
    data = plots.confusion_matrix([[2, 2], [0, 0]], normalize="true", class_names=["a", "b"]).data
    assert data.shares[0].tolist() == [0.5, 0.5] and np.isnan(data.shares[1]).all()
    by_column = plots.confusion_matrix([[2, 2], [0, 4]], normalize="predicted").data.shares
    assert by_column[:, 1] == pytest.approx([1 / 3, 2 / 3])
    assert plots.confusion_matrix([[2, 2], [0, 4]], normalize="all").data.shares.sum() == 1.0
    wrongs: list[list[list[float]]] = [[[1, 2]], [[-1, 0], [0, 1]], [[np.nan, 0], [0, 1]]]
    for wrong in wrongs:
        with pytest.raises(DataError):
            plots.confusion_matrix(wrong)
    with pytest.raises(DataError, match="normalize"):
        plots.confusion_matrix([[1]], normalize="rows")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="2 class names for 1 classes"):
        plots.confusion_matrix([[1]], class_names=["a", "b"])


def test_shares_are_percents_and_empty_rows_a_dash() -> None:
    plot = confusion_matrix([[3, 1], [0, 0]], normalize="true")
    assert [text.get_text() for text in plot.numbers] == ["75.0%", "25.0%", "–", "–"]
    assert plot.colorbar is not None
    plot.figure.draw_without_rendering()
    assert plot.colorbar.ax.get_yticklabels()[-1].get_text() == "100%"
    wide = confusion_matrix(np.eye(8) * 4, normalize="all")
    assert wide.numbers[0].get_text() == "12"
    large = confusion_matrix([[2e6, 0.0], [0.0, 1.0]])
    assert large.numbers[0].get_text() == "2e+06"


def test_a_text_that_holds_no_matrix_is_refused(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path)) as writer:
        writer.add_text("eval/confusion/counts", "a\tb\nx\tnone", 0)
    with pytest.raises(DataError, match="holds no confusion matrix"):
        plots.confusion_matrix(vizkit.load(tmp_path)[0])
