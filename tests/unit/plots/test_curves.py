"""`plots.curves`: lines, marks, bands, axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.legend import Legend

import vizkit
from vizkit import Runs
from vizkit.errors import DataError
from vizkit.media.palette import color
from vizkit.plots._curves import CurvesPlot
from vizkit.plots._plot import line_style
from vizkit.reading import Scalars


def legend_of(plot: CurvesPlot) -> Legend:
    assert plot.legend is not None
    return plot.legend


def legend_texts(plot: CurvesPlot) -> list[str]:
    return [text.get_text() for text in legend_of(plot).get_texts()]


def note_of(plot: CurvesPlot) -> str:
    assert plot.note is not None
    return plot.note.get_text()


def test_curves_are_lines_in_the_runs_colours(runs: Runs) -> None:
    plot = runs[1:].plot("loss")
    assert list(plot.lines) == ["run1", "run2", "run3"]
    assert [line.get_color() for line in plot.lines.values()] == [color(run.position) for run in runs[1:]]
    alone = runs["run2"].plot("loss")
    assert alone.lines["run2"].get_color() == color(runs["run2"].position)
    assert alone.legend is None and alone.ax.get_title(loc="left") == "run2"
    assert legend_texts(plot) == list(plot.lines)
    assert (plot.ax.get_xlabel(), plot.ax.get_ylabel()) == ("step", "loss")


def test_steps_that_are_seconds_are_called_so(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("system/cpu percent", 50.0, 15)
    assert vizkit.load(tmp_path)[0].plot("system/cpu percent").ax.get_xlabel() == "seconds"


def test_nan_is_a_gap_with_a_mark(runs: Runs) -> None:
    plot = runs["run0"].plot("loss")
    (line,) = plot.lines.values()
    assert np.flatnonzero(np.isnan(np.asarray(line.get_ydata()))).tolist() == [20]
    (mark,) = plot.marks
    assert mark.get_marker() == "x" and np.asarray(mark.get_xdata()).tolist() == [20]
    assert note_of(plot) == "1 NaN (x)"


def test_what_was_recorded_stays_beneath_what_is_smoothed(runs: Runs) -> None:
    plot = runs["run0"].plot("acc", smooth=0.9)
    line, raw = plot.lines["run0"], plot.raw["run0"]
    assert (raw.get_alpha() or 1) < 0.5 and raw.get_zorder() < line.get_zorder()
    assert np.array_equal(np.asarray(raw.get_ydata()), runs["run0"].columns("acc").values)
    assert not np.array_equal(np.asarray(line.get_ydata()), np.asarray(raw.get_ydata()))
    assert runs["run0"].plot("acc").raw == {}


def test_far_values_are_left_out_and_told(runs: Runs) -> None:
    plot = runs.plot("loss", outliers=False)
    assert plot.ax.get_ylim()[1] < 10
    assert note_of(plot) == "4 above the axis, 4 NaN (x)"
    assert runs.plot("loss").ax.get_ylim()[1] > 1e4


def test_groups_are_means_with_bands(runs: Runs) -> None:
    plot = runs.plot("acc", by="batch size")
    assert list(plot.lines) == list(plot.bands) == ["batch size = 32", "batch size = 64"]
    assert "(2 runs)" in legend_texts(plot)[0]
    assert runs.plot("acc", by="batch size", band=None).bands == {}


def test_axes_can_be_logarithmic(runs: Runs) -> None:
    assert runs.plot("loss", log=True).ax.get_yscale() == "log"
    assert runs.plot("loss", log="x").ax.get_xscale() == "symlog"  # step 0 has a place too
    with pytest.raises(DataError, match="log must be"):
        runs.plot("loss", log="z")  # type: ignore[arg-type]


def test_a_million_points_are_drawn_as_thousands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("loss", 0.0, 0)
    (run,) = vizkit.load(tmp_path)
    values = np.sin(np.arange(1_000_000) / 1e4)
    values[123_457] = 9.0
    columns = Scalars(np.arange(len(values)), np.arange(len(values)), values)
    monkeypatch.setattr(run, "columns", lambda tag: columns)
    (line,) = run.plot("loss").lines.values()
    y = np.asarray(line.get_ydata())
    assert len(y) <= 8000 and y.max() == 9.0


def test_more_runs_than_colours_differ_in_their_shades_and_dashes(tmp_path: Path) -> None:
    for k in range(45):
        with vizkit.LogWriter(str(tmp_path / f"run{k}")) as writer:
            writer.add_scalar("loss", float(k), 0)
    plot = vizkit.load(tmp_path).plot("loss")
    drawn = {str((line.get_color(), line.get_linestyle(), line.is_dashed())) for line in plot.lines.values()}
    assert len(drawn) == 45
    assert len({str(line_style(place)) for place in range(120)}) == 120
    assert len(legend_texts(plot)) == 40
    assert legend_of(plot).get_title().get_text() == "the first 40 of 45"


@pytest.mark.parametrize("name", ["_a$b$c^{", "学习率"])
def test_names_are_shown_as_they_are(name: str, tmp_path: Path) -> None:
    """Neither left out of the legend, as matplotlib does with "_", nor taken for formulas."""
    for run in ("run", name):
        with vizkit.LogWriter(str(tmp_path / run)) as writer:
            writer.add_scalar("a$b^$", 1.0, 0)
    plot = vizkit.load(tmp_path).plot("a$b^$", log=True)
    assert name in legend_texts(plot)
    assert plot._repr_png_()
    assert plot.ax.get_yticklabels()[0].get_parse_math()  # powers of ten are formulas


def test_values_that_are_no_numbers_leave_an_empty_plot(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(3):
            writer.add_scalar("loss", float("nan"), step)
    plot = vizkit.load(tmp_path).plot("loss", smooth=0.5, outliers=False, log=True)
    assert note_of(plot) == "3 NaN (x)" and np.asarray(plot.marks[0].get_xdata()).tolist() == [0]
    assert plot._repr_png_()


def test_a_logarithmic_axis_has_room_around_its_limits(runs: Runs) -> None:
    plot = runs.plot("loss", outliers=False, log=True)
    assert plot.data.limits is not None
    low, high = plot.ax.get_ylim()
    assert low < plot.data.limits[0] and high > plot.data.limits[1]
