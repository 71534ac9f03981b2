"""`plots.curves`: lines, marks, bands, axes."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend

import vizkit
from vizkit import Runs
from vizkit.errors import DataError, UnknownNameError
from vizkit.media.palette import color
from vizkit.plots._curves import CurvesPlot
from vizkit.plots.terminal import draw


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


def test_many_points_are_drawn_as_thousands(tmp_path: Path) -> None:
    values = np.sin(np.arange(60_000) / 1e4)
    values[12_345] = 9.0
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate(values.tolist()):
            writer.add_scalar("loss", value, step)
    (run,) = vizkit.load(tmp_path)
    (line,) = run.plot("loss").lines.values()
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert 4000 < len(y) <= 16_000 and y.max() == 9.0
    assert np.array_equal(y, values[x.astype(int)])
    (line,) = run.plot("loss", log="x").lines.values()
    assert np.asarray(line.get_xdata())[:300].tolist() == list(range(300))  # half of the axis


def many(directory: Path, names: Iterable[str]) -> Runs:
    for k, name in enumerate(names):
        with vizkit.LogWriter(str(directory / name)) as writer:
            for step in range(2):
                writer.add_scalar("loss", float(k - step), step)
    return vizkit.load(directory)


def looks(plot: CurvesPlot) -> set[str]:
    return {f"{line.get_color()} {vars(line)['_unscaled_dash_pattern']}" for line in plot.lines.values()}


def test_more_runs_than_colours_differ_in_their_dashes(tmp_path: Path) -> None:
    names = [
        f"resnet50_imagenet_lr0.{k:02}_augmented_{'with_a_long_name_' * 3}seed{k % 3}" for k in range(60)
    ]
    plot = many(tmp_path, names).plot("loss")
    assert len(looks(plot)) == 60
    texts = legend_texts(plot)
    assert len(set(texts)) == 60 and max(map(len, texts)) <= 40
    assert all(f"0.{k:02}" in text for k, text in enumerate(texts))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a layout that does not fit
        plot._repr_png_()
        FigureCanvasAgg(plot.figure).draw()
    box = legend_of(plot).get_window_extent()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= plot.figure.bbox.x1


def test_the_legend_of_very_many_runs_says_how_many_are_left_out(tmp_path: Path) -> None:
    plot = many(tmp_path, (f"run{k}" for k in range(85))).plot("loss")
    assert len(legend_texts(plot)) == 80
    assert legend_of(plot).get_title().get_text() == "the first 80 of 85"


def test_a_legend_in_the_axes_of_the_caller_leaves_room_for_the_curves(tmp_path: Path) -> None:
    names = (f"resnet50_imagenet_augmented_{k}_in_a_directory_of_a_long_name" for k in range(30))
    figure = Figure(figsize=(3.9, 2.6), dpi=100)
    plot = many(tmp_path, names).plot("loss", ax=figure.subplots())
    FigureCanvasAgg(figure).draw()
    box, axes = legend_of(plot).get_window_extent(), plot.ax.bbox
    assert box.height < 0.75 * axes.height and box.width < 0.75 * axes.width
    assert "of 30" in legend_of(plot).get_title().get_text() and len(set(legend_texts(plot))) >= 3


def test_several_tags_of_a_run_have_a_colour_each(runs: Runs) -> None:
    plot = runs["run2"].plot(["loss", "acc"])
    assert list(plot.lines) == legend_texts(plot) == ["loss", "acc"]
    assert len({line.get_color() for line in plot.lines.values()}) == 2
    assert plot.lines["loss"].get_color() == color(runs["run2"].position)
    assert plot.ax.get_title(loc="left") == "run2" and plot.ax.get_ylabel() == "loss, acc"
    assert np.array_equal(np.asarray(plot.lines["acc"].get_ydata()), runs["run2"].columns("acc").values)
    assert list(runs["run2"].plot("[al]*").lines) == ["loss", "acc"]


def test_several_tags_of_several_runs_keep_the_runs_colours(runs: Runs) -> None:
    plot = runs[:2].plot(["loss", "acc"])
    assert list(plot.lines) == ["run0  loss", "run1  loss", "run0  acc", "run1  acc"] == legend_texts(plot)
    assert plot.lines["run1  acc"].get_color() == plot.lines["run1  loss"].get_color()
    assert len(looks(plot)) == 4
    means = runs.plot(["loss", "acc"], by="batch size")
    assert "batch size = 32  acc" in means.lines


def test_a_tag_or_pattern_that_is_not_there_is_named(runs: Runs) -> None:
    with pytest.raises(UnknownNameError, match=r"no scalar tag that fits 'train/\*'"):
        runs.plot("train/*")
    with pytest.raises(UnknownNameError, match="no scalar tag 'los'; closest: 'loss'"):
        runs.plot(["acc", "los"])
    with pytest.raises(DataError, match="name a scalar tag"):
        runs.plot([])


def test_plots_in_the_same_axes_share_a_legend(runs: Runs) -> None:
    first = runs["run1"].plot("loss", outliers=False)
    second = runs["run1"].plot("acc", ax=first.ax)
    (loss,), (acc,) = first.lines.values(), second.lines.values()
    assert loss.get_color() != acc.get_color()
    assert legend_texts(second) == ["loss", "acc"] and first.ax.get_ylabel() == "loss, acc"
    assert note_of(second) == "1 above the axis, 1 NaN (x)"
    first.ax.plot([0, 30], [1, 1], label="baseline")
    third = runs["run3"].plot("acc", ax=first.ax)
    assert legend_texts(third) == ["run1  loss", "run1  acc", "run3  acc", "baseline"]
    assert third.ax.get_title(loc="left") == ""
    first.ax.clear()
    assert runs["run2"].plot("acc", ax=first.ax).legend is None
    assert first.ax.get_title(loc="left") == "run2" and first.ax.get_ylabel() == "acc"


def test_one_diverged_run_does_not_flatten_the_others(tmp_path: Path) -> None:
    for k in range(9):
        with vizkit.LogWriter(str(tmp_path / f"run{k}")) as writer:
            for step in range(50):
                writer.add_scalar("loss", 2 * 10.0**step if k == 4 else 2.0 - step / 50 + k / 10, step)
    plot = vizkit.load(tmp_path).plot("loss", outliers=False)
    assert plot.ax.get_ylim()[1] < 4 and note_of(plot) == "49 above the axis"
    assert vizkit.load(tmp_path).plot("loss").ax.get_ylim()[1] > 1e48


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        [1e308, 1.5e308, 1.7e308],
        [-1.7e308, 1.7e308],
        [1.7e308],
        [1.0, 1.7e308],
        [1e280, 1e290, 1e308],
        [1e280, 1e280],
        [5e-324, 1e-310, 1e-300],
        [1e-320, 2e-320, 3e-320],
        [1e-320, 1.0, 1e308],
        [-1e308, -1.79e308],
    ],
)
def test_the_greatest_numbers_have_axes(values: list[float], log: bool, tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("loss", value, step)
    for outliers in (True, False):
        plot = vizkit.load(tmp_path).plot("loss", log=log, outliers=outliers)
        plot.figure.savefig(io.BytesIO(), format="png", dpi=30)
    factor = re.search(r"× 1e(-?\d+)", plot.ax.get_ylabel())
    greatest = max(map(abs, values))
    assert (factor is not None) == (greatest >= 1e290 or (greatest < 1e-280 and not log))
    drawn = np.asarray(next(iter(plot.lines.values())).get_ydata())[-1]
    if values[-1] > 0 or not log:
        assert drawn * float(f"1e{factor[1]}" if factor else 1) == pytest.approx(values[-1], rel=1e-9)
    if factor and float(factor[1]) < 0:
        low, high = plot.ax.get_ylim()
        assert high - low < 1.2 * drawn  # which is not a flat line
    ticks = [text.get_text() for text in plot.ax.get_yticklabels()]
    assert max(map(len, (text for text in ticks if "$" not in text)), default=0) < 12
    assert str(draw(plot.data, log=log)).count("\n") > 10


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
    assert plot.ax.get_yticks().size == 0 and "no finite value" in [text.get_text() for text in plot.ax.texts]
    low, high = plot.ax.get_xlim()
    assert -0.1 < low < 0 and 2 < high < 2.1  # all steps


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.9, 2.0, ["1", "1.2", "1.4", "1.6", "1.8", "2"]),
        (1.05, 1.15, ["1.06", "1.08", "1.1", "1.12", "1.14"]),
        (0.5, 30.0, ["0.5", "1", "2", "5", "10", "20"]),
        (0.001, 1.0, ["0.001", "0.01", "0.1", "1"]),
        (1e-12, 1.0, ["$\\mathdefault{10^{-12}}$", "$\\mathdefault{10^{0}}$"]),
    ],
)
def test_a_logarithmic_axis_fits_its_curves_and_has_round_ticks(
    low: float, high: float, texts: list[str], tmp_path: Path
) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step, value in enumerate(np.geomspace(high, low, 50)):
            writer.add_scalar("loss", value, step)
    axis = vizkit.load(tmp_path).plot("loss", log=True).ax.yaxis
    least, greatest = axis.get_view_interval()
    assert low / (high / low) ** 0.1 < least < low and high < greatest < high * (high / low) ** 0.1
    places = [place for place in axis.get_majorticklocs() if least <= place <= greatest]
    found = [text for text in axis.get_major_formatter().format_ticks(places) if text]
    assert found == texts if len(texts) > 2 else {*texts} <= {*found}


def test_a_logarithmic_axis_has_room_around_its_limits(runs: Runs) -> None:
    plot = runs.plot("loss", outliers=False, log=True)
    assert plot.data.limits is not None
    low, high = plot.ax.get_ylim()
    assert low < plot.data.limits[0] and high > plot.data.limits[1]


def test_a_logarithmic_axis_of_a_small_range_has_ticks_that_differ(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(20):
            writer.add_scalar("loss", 50 + 1e-3 * step, 10**12 + step)
    plot = vizkit.load(tmp_path).plot("loss", log="xy")
    assert plot._repr_png_()
    for axis in (plot.ax.xaxis, plot.ax.yaxis):
        labels = [tick.label1.get_text() for tick in axis.get_major_ticks()]
        assert len(labels) == len(set(labels)) > 2
        assert not any(label.get_text() for label in axis.get_ticklabels(minor=True))


def test_values_that_are_not_positive_leave_a_logarithmic_plot_empty(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate((0.0, -1.0, float("-inf"))):
            writer.add_scalar("loss", value, step)
    plot = vizkit.load(tmp_path).plot("loss", log=True)
    assert "no positive value" in [text.get_text() for text in plot.ax.texts]
    assert note_of(plot) == "2 not positive, not shown, 1 infinite (triangles)"  # each is counted once
    assert plot.ax.get_yticks().size == 0


def test_a_tag_with_a_brace_is_no_expression_where_some_run_has_it(tmp_path: Path) -> None:
    tag = "loss {5 $"
    for name, one in (("a", tag), ("b", "other")):
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            writer.add_scalar(one, 1.0, 0)
    assert list(vizkit.load(tmp_path).plot(tag).lines) == ["a"]


def test_names_of_many_runs_are_whole_where_a_legend_below_has_room(tmp_path: Path) -> None:
    rates = ("0.1", "0.01", "0.001")
    names = [
        f"{way}-lr{rate}-{seed}" for way in ("MomentumSGD", "Adam") for rate in rates for seed in range(10)
    ]
    assert max(map(len, names)) == 21
    assert sorted(legend_texts(many(tmp_path, names).plot("loss"))) == sorted(names)


@pytest.mark.parametrize(("bad", "log"), [(math.nan, False), (-1.0, True)])
@pytest.mark.parametrize("first", ["bad", "good"])
def test_axes_have_a_scale_as_soon_as_one_curve_has_values(
    bad: float, log: bool, first: str, tmp_path: Path
) -> None:
    for name, values in (("bad", [bad] * 3), ("good", [1.0, 20.0, 3.0])):
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            for step, value in enumerate(values):
                writer.add_scalar("loss", value, step)
    runs = vizkit.load(tmp_path)
    ax = Figure().subplots()
    runs[first].plot("loss", ax=ax, log=log)
    runs["good" if first == "bad" else "bad"].plot("loss", ax=ax, log=log)
    FigureCanvasAgg(ax.figure).draw()
    low, high = ax.get_ylim()
    assert not ax.texts and len(ax.get_yticks()) > 1 and -1 < low <= 1 and 20 <= high < 40
    ax.clear()
    runs["bad"].plot("loss", ax=ax, log=log)
    runs["good"].plot("loss", ax=ax, log=log)
    assert not ax.texts and 20 <= ax.get_ylim()[1] < 40


def test_negative_values_beside_great_ones_are_not_marked_as_nan(tmp_path: Path) -> None:
    for name, value in (("a", 1e300), ("b", -1e300)):
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            writer.add_scalar("loss", value, 0)
    plot = vizkit.load(tmp_path).plot("loss", log=True)
    assert plot.marks == [] and note_of(plot) == "1 not positive, not shown"


def test_a_legend_of_chinese_names_leaves_room_for_the_curves(tmp_path: Path) -> None:
    plot = many(tmp_path, [f"学习率很小的实验之二第{k}号运行" for k in range(40)]).plot("loss")
    FigureCanvasAgg(plot.figure).draw()
    assert legend_of(plot).get_window_extent().x1 <= plot.figure.bbox.x1
    assert plot.ax.bbox.width > 0.7 * plot.figure.bbox.width


def test_an_axis_over_both_sides_of_zero_has_few_ticks(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in (-25, 0, 7, 10**15):
            writer.add_scalar("loss", 1.0, step)
    ax = vizkit.load(tmp_path).plot("loss", log="x").ax
    low, high = ax.get_xlim()
    assert 4 <= sum(low <= tick <= high for tick in ax.get_xticks()) <= 12
