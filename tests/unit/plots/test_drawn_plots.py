"""What the plots draw: artists, fonts, notebooks, and nothing global."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import vizkit
from tests.helpers import python
from vizkit import plots
from vizkit.errors import DataError, VizKitWarning
from vizkit.media import lettering
from vizkit.media.palette import color
from vizkit.plots._fonts import add_fallbacks
from vizkit.plots._plot import line_style

START = 1_700_000_000_000
LABELS = np.arange(60) % 3
NAMES = ["猫", "dog", "eel"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four runs with every kind of record that is drawn."""
    root = tmp_path_factory.mktemp("log")
    rng = np.random.default_rng(0)
    for k in range(4):
        with vizkit.LogWriter(str(root / f"run{k}")) as writer:
            hparams: dict[str, object] = {"batch size": 32 << k % 2, "lr": 10.0 ** -(k // 2 + 1)}
            hparams["optimizer"] = "Adam" if k else "SGD"
            writer.add_hparams(hparams, ["loss", "acc"])
            for step in range(40):
                loss = float("nan") if step == 20 else 1e4 if step == 30 else 2.0 / (step + 1) + k / 10
                writer.add_scalar("loss", loss, step, START + 500 * step)
                writer.add_scalar("acc", 1 - 0.9 / (step + 1) - k / 100, step, START + 500 * step)
            scores = rng.dirichlet(np.ones(3), 60)
            scores[np.arange(60), LABELS] += 0.3
            writer.add_class_curves("eval", LABELS, scores / 1.3, 39)
            writer.add_confusion_matrix("eval/confusion", LABELS, scores, 39, class_names=NAMES)
            for step in (0, 20, 39):
                writer.add_histogram("w", rng.normal(0, 1 + step, 500), step)
                image = rng.integers(0, 255, (8, 10, 3), dtype=np.uint8)
                writer.add_image("sample", image, step)
    return vizkit.load(root)


EVERY: dict[str, Callable[[Any, Any], Any]] = {
    "confusion_matrix": lambda runs, ax: plots.confusion_matrix(runs[0], ax=ax),
    "curves": lambda runs, ax: plots.curves(runs, "loss", smooth=0.6, ax=ax),
    "curves by": lambda runs, ax: plots.curves(runs, "acc", x="time", by="batch size", log="xy", ax=ax),
    "heatmap": lambda runs, ax: plots.histogram(runs[0], "w", kind="heatmap", ax=ax),
    "histogram": lambda runs, ax: plots.histogram(runs[0], "w", ax=ax),
    "images": lambda runs, ax: plots.images(runs, "sample", ax=ax),
    "importance": lambda runs, ax: plots.importance(runs, "acc", ax=ax),
    "input_output": lambda _, ax: plots.input_output(np.zeros((4, 4)), [0.2, 0.8], label=1, ax=ax),
    "input_output of masks": lambda _, ax: plots.input_output(np.zeros((4, 4)), np.eye(4), ax=ax),
    "parallel_coordinates": lambda runs, ax: plots.parallel_coordinates(runs, "acc", ax=ax),
    "pr_curve": lambda runs, ax: plots.pr_curve(runs[0], "eval/pr", ax=ax),
    "reliability": lambda _, ax: plots.reliability([0.2, 0.7, 0.71], labels=[0, 1, 0], ax=ax),
    "roc_curve": lambda runs, ax: plots.roc_curve(runs, "eval/roc/1", ax=ax),
    "scatter_matrix": lambda runs, ax: plots.scatter_matrix(runs, "acc", ax=ax),
    "time_to": lambda runs, ax: plots.time_to(runs, "acc", 0.9, ax=ax),
    "time_to by": lambda runs, ax: plots.time_to(runs, "acc", 0.9, by="optimizer", ax=ax),
}


def test_every_plot_is_tried() -> None:
    assert {name.split()[0] for name in EVERY} - {"heatmap"} == set(plots.__all__) - {"Plot"}


@pytest.mark.parametrize("name", EVERY)
def test_a_plot_shows_itself_in_a_notebook(name: str, runs: Any, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    plot = EVERY[name](runs, None)
    assert isinstance(plot, plots.Plot)
    assert len(repr(plot)) < 80
    assert dict(mpl.rcParams) == before
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a layout that does not fit, a missing glyph
        data, size = plot._repr_png_()
        plot.save(tmp_path / "plot.png", dpi=50)
    image = Image.open(io.BytesIO(data))
    assert image.size == pytest.approx((2 * size["width"], 2 * size["height"]), abs=2)
    assert np.asarray(image.convert("L")).std() > 1
    assert Image.open(tmp_path / "plot.png").size[0] < image.size[0]


@pytest.mark.parametrize("name", EVERY)
def test_a_plot_draws_into_axes_that_are_given(name: str, runs: Any) -> None:
    figure = Figure(figsize=(6, 3))
    left, right = figure.subplots(1, 2)
    plot = EVERY[name](runs, left)
    assert plot.ax is left and plot.figure is figure
    assert figure.axes == [left, right]  # none is added: others' layouts stay
    assert not right.has_data()
    assert plot._repr_png_() is None  # whose figure it is shows it
    figure.savefig(io.BytesIO(), format="png", dpi=30)


def test_pyplot_is_not_even_imported(runs: Any) -> None:
    code = (
        "import sys, vizkit\n"
        "from vizkit import plots\n"
        "print('matplotlib' in sys.modules)\n"
        "runs = vizkit.load(sys.argv[1])\n"
        "runs.plot('loss')._repr_png_(); plots.parallel_coordinates(runs, 'acc')._repr_png_()\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    done = python(code, Path(runs[0].directory).parent)
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_a_name_that_is_no_plot() -> None:
    with pytest.raises(AttributeError, match="no attribute 'curve'"):
        _ = plots.curve  # type: ignore[attr-defined]
    import vizkit.plots._curves  # noqa: F401  (a module must not hide a function)

    assert callable(plots.curves) and callable(plots.images) and "time_to" in dir(plots)


# -- curves -------------------------------------------------------------------------------------------


def test_curves_are_lines_in_the_runs_colours(runs: Any) -> None:
    plot = runs[1:].plot("loss")
    assert list(plot.lines) == ["run1", "run2", "run3"]
    assert [line.get_color() for line in plot.lines.values()] == [color(k) for k in (1, 2, 3)]
    alone = runs["run2"].plot("loss")
    assert alone.lines["run2"].get_color() == color(2)
    assert alone.legend is None and alone.ax.get_title(loc="left") == "run2"
    assert [text.get_text() for text in plot.legend.get_texts()] == list(plot.lines)
    assert (plot.ax.get_xlabel(), plot.ax.get_ylabel()) == ("step", "loss")


def test_steps_that_are_seconds_are_called_so(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("system/cpu percent", 50.0, 15)
    assert vizkit.load(tmp_path)[0].plot("system/cpu percent").ax.get_xlabel() == "seconds"


def test_nan_is_a_gap_with_a_mark(runs: Any) -> None:
    plot = runs["run0"].plot("loss")
    (line,) = plot.lines.values()
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [20]
    (mark,) = plot.marks
    assert mark.get_marker() == "x" and mark.get_xdata().tolist() == [20]
    assert plot.note.get_text() == "1 NaN (x)"


def test_what_was_recorded_stays_beneath_what_is_smoothed(runs: Any) -> None:
    plot = runs["run0"].plot("acc", smooth=0.9)
    line, raw = plot.lines["run0"], plot.raw["run0"]
    assert raw.get_alpha() < 0.5 and raw.get_zorder() < line.get_zorder()
    assert np.array_equal(raw.get_ydata(), runs["run0"].columns("acc").values)
    assert not np.array_equal(line.get_ydata(), raw.get_ydata())
    assert runs["run0"].plot("acc").raw == {}


def test_far_values_are_left_out_and_told(runs: Any) -> None:
    plot = runs.plot("loss", outliers=False)
    assert plot.ax.get_ylim()[1] < 10
    assert plot.note.get_text() == "4 above the axis, 4 NaN (x)"
    assert runs.plot("loss").ax.get_ylim()[1] > 1e4


def test_groups_are_means_with_bands(runs: Any) -> None:
    plot = runs.plot("acc", by="batch size")
    assert list(plot.lines) == list(plot.bands) == ["batch size = 32", "batch size = 64"]
    assert "(2 runs)" in plot.legend.get_texts()[0].get_text()
    assert runs.plot("acc", by="batch size", band=None).bands == {}


def test_axes_can_be_logarithmic(runs: Any) -> None:
    assert runs.plot("loss", log=True).ax.get_yscale() == "log"
    assert runs.plot("loss", log="x").ax.get_xscale() == "symlog"  # step 0 has a place too
    with pytest.raises(DataError, match="log must be"):
        runs.plot("loss", log="z")


def test_a_million_points_are_drawn_as_thousands(tmp_path: Path) -> None:
    from vizkit import reading

    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("loss", 0.0, 0)
    (run,) = vizkit.load(tmp_path)
    values = np.sin(np.arange(1_000_000) / 1e4)
    values[123_457] = 9.0
    columns = reading.Scalars(np.arange(len(values)), np.arange(len(values)), values)
    run.columns = lambda tag: columns
    (line,) = run.plot("loss").lines.values()
    assert len(line.get_xdata()) <= 8000 and line.get_ydata().max() == 9.0


def test_more_runs_than_colours_differ_in_their_dashes(tmp_path: Path) -> None:
    for k in range(45):
        with vizkit.LogWriter(str(tmp_path / f"run{k}")) as writer:
            writer.add_scalar("loss", float(k), 0)
    plot = vizkit.load(tmp_path).plot("loss")
    assert len({str(line_style(k)) for k in range(40)}) == 40
    assert len(plot.legend.get_texts()) == 40
    assert plot.legend.get_title().get_text() == "the first 40 of 45"


@pytest.mark.parametrize("name", ["_a$b$c^{", "学习率"])
def test_names_are_shown_as_they_are(name: str, tmp_path: Path) -> None:
    """Neither left out of the legend, as matplotlib does with "_", nor taken for formulas."""
    for run in ("run", name):
        with vizkit.LogWriter(str(tmp_path / run)) as writer:
            writer.add_scalar("a$b^$", 1.0, 0)
    plot = vizkit.load(tmp_path).plot("a$b^$", log=True)
    assert name in [text.get_text() for text in plot.legend.get_texts()]
    assert plot._repr_png_()
    assert plot.ax.get_yticklabels()[0].get_parse_math()  # powers of ten are formulas


def test_values_that_are_no_numbers_leave_an_empty_plot(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(3):
            writer.add_scalar("loss", float("nan"), step)
    plot = vizkit.load(tmp_path).plot("loss", smooth=0.5, outliers=False, log=True)
    assert plot.note.get_text() == "3 NaN (x)" and plot.marks[0].get_xdata().tolist() == [0]
    assert plot._repr_png_()


# -- others -------------------------------------------------------------------------------------------


def test_rates_say_their_area_and_chance(runs: Any) -> None:
    plot = plots.pr_curve(runs, "eval/pr/1")
    assert [text.get_text() for text in plot.legend.get_texts()] == [
        f"{rate.name}  AP {rate.area:.3f}" for rate in plot.data
    ]
    assert plot.lines["run1"].get_drawstyle() == "steps-post"
    assert plot.chance.get_ydata()[0] == pytest.approx(1 / 3)
    alone = plots.roc_curve(runs[0], "eval/roc/1")
    assert alone.ax.get_title(loc="left") == f"run0  eval/roc/1  AUC {alone.data[0].area:.3f}"


def test_a_confusion_matrix_has_its_numbers(runs: Any) -> None:
    plot = plots.confusion_matrix(runs[0])
    assert [text.get_text() for text in plot.numbers] == [f"{n:.0f}" for n in plot.data.counts.ravel()]
    assert np.array_equal(plot.image.get_array(), plot.data.counts)
    large = plots.confusion_matrix(np.eye(60))
    assert large.numbers == [] and len(large.ax.get_xticks()) == 30


def test_ridges_go_up_with_the_steps(runs: Any) -> None:
    plot = plots.histogram(runs[0], "w")
    assert [text.get_text() for text in plot.ax.get_yticklabels()] == ["0", "20", "39"]
    bottoms = [ridge.get_paths()[0].vertices[:, 1].min() for ridge in plot.ridges]
    assert bottoms == [0, 1, 2]
    heat = plots.histogram(runs[0], "w", kind="heatmap")
    assert heat.image.get_array().shape == (100, 3) and heat.ax.get_xlim() == (-10.0, 48.5)
    with pytest.raises(DataError, match="kind"):
        plots.histogram(runs[0], "w", kind="violin")  # type: ignore[arg-type]


def test_images_stand_in_rows_and_columns(runs: Any) -> None:
    plot = plots.images(runs[:2], "sample")
    assert set(plot.cells) == {(row, column) for row in range(2) for column in range(3)}
    assert np.array_equal(plot.cells[1, 2].get_array(), runs[1].images("sample")[2])
    assert [text.get_text() for text in plot.ax.get_xticklabels()] == ["step 0", "step 20", "step 39"]


def test_the_best_run_is_bold(runs: Any) -> None:
    plot = plots.parallel_coordinates(runs, "acc")
    assert plot.best == "run0"
    widths = {name: line.get_linewidth() for name, line in plot.lines.items()}
    assert max(widths, key=lambda name: widths[name]) == "run0"
    assert plots.parallel_coordinates(runs, "acc", mode="min").best == "run3"
    assert [text.get_text() for text in plot.ax.get_xticklabels()] == ["batch size", "lr", "optimizer", "acc"]


def test_a_scatter_matrix_is_a_triangle(runs: Any) -> None:
    plot = plots.scatter_matrix(runs, "acc", hparams=["lr", "batch size"])
    assert set(plot.cells) == {(0, 0), (1, 0), (1, 1)}
    points = plot.cells[1, 1].get_lines()
    assert [point.get_color() for point in points] == [color(k) for k in range(4)]
    assert [float(point.get_xdata()[0]) for point in points] == [32, 64, 32, 64]


def test_bars_say_what_they_stand_for(runs: Any) -> None:
    race = plots.time_to(runs, "acc", 0.96)
    assert race.texts[0].get_text() == f"{race.data.contenders[0].seconds[0]:.3g} s  (step 22)"
    assert race.texts[-1].get_text() == "not reached, best 0.9475"
    assert race.bars[0].get_width() == race.data.contenders[0].seconds[0]
    share = plots.importance(runs, "acc")
    assert [text.get_text() for text in share.ax.get_yticklabels()] == list(share.data.names)


def test_an_output_is_green_or_red() -> None:
    image = np.zeros((4, 6, 3))
    image[..., 2] = 1.0
    right = plots.input_output(image, [0.1, 0.9], label=1, bgr=True)
    assert right.input.get_array()[0, 0].tolist() == [255, 0, 0]
    assert right.input.axes.get_title() == "1 ✓" and right.input.axes.title.get_color() == "#1a7f37"
    assert [bar.get_width() for bar in right.output] == [0.9, 0.1]
    wrong = plots.input_output(image, [0.1, 0.9], label=0)
    assert wrong.input.axes.get_title() == "1, not 0 ✗"


# -- fonts --------------------------------------------------------------------------------------------


@pytest.fixture
def _untold() -> Iterator[None]:
    told = dict(lettering._told)
    lettering._told.clear()
    yield
    lettering._told.clear()
    lettering._told.update(told)


def test_chinese_labels_get_a_font_that_has_them(runs: Any) -> None:
    plot = plots.confusion_matrix(runs[0])
    label = plot.ax.get_yticklabels()[0]
    assert label.get_text() == "猫"
    assert label.get_fontfamily()[0] == mpl.rcParams["font.family"][0]  # Latin letters stay as they are
    assert len(label.get_fontfamily()) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        plot.figure.savefig(io.BytesIO(), format="png")


@pytest.mark.usefixtures("_untold")
def test_without_such_a_font_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_system_fonts", lambda: ())
    with pytest.warns(VizKitWarning, match="no font found for 猫.*apt-get install fonts-noto-cjk") as told:
        for _ in range(2):
            plots.confusion_matrix([[1, 0], [0, 1]], class_names=["猫", "dog"])._repr_png_()
    assert len(told) == 1


def test_what_the_own_font_has_is_left_alone() -> None:
    figure = Figure()
    text = figure.text(0, 0, "Überraschung ≥ 90 %")
    before = text.get_fontfamily()
    add_fallbacks(figure)
    assert text.get_fontfamily() == before
