"""All plots: shown in notebooks, drawn into given axes, nothing global."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tests.helpers import python
from vizkit import Runs, plots

EVERY: dict[str, Callable[[Any, Any], Any]] = {
    "confusion_matrix": lambda runs, ax: plots.confusion_matrix(runs[0], ax=ax),
    "crossing": lambda runs, ax: plots.crossing(runs[:2], runs[2:], "acc", ax=ax),
    "curves": lambda runs, ax: plots.curves(runs, "loss", smooth=0.6, ax=ax),
    "curves by": lambda runs, ax: plots.curves(runs, "acc", x="time", by="batch size", log="xy", ax=ax),
    "difference_intervals": lambda _, ax: plots.difference_intervals(
        ["b - a", "c - a"], [(1, 0.5, 1.5), (0.2, -np.inf, np.inf)], ax=ax
    ),
    "heatmap": lambda runs, ax: plots.histogram(runs[0], "w", kind="heatmap", ax=ax),
    "histogram": lambda runs, ax: plots.histogram(runs[0], "w", ax=ax),
    "images": lambda runs, ax: plots.images(runs, "sample", ax=ax),
    "importance": lambda runs, ax: plots.importance(runs, "acc", ax=ax),
    "input_output": lambda _, ax: plots.input_output(np.zeros((4, 4)), [0.2, 0.8], label=1, ax=ax),
    "input_output of masks": lambda _, ax: plots.input_output(np.zeros((4, 4)), np.eye(4), ax=ax),
    "parallel_coordinates": lambda runs, ax: plots.parallel_coordinates(runs, "acc", ax=ax),
    "pr_curve": lambda runs, ax: plots.pr_curve(runs[0], "eval/pr", ax=ax),
    "ranks": lambda runs, ax: plots.ranks(runs, "acc", by="batch size", ax=ax),
    "reliability": lambda _, ax: plots.reliability([0.2, 0.7, 0.71], labels=[0, 1, 0], ax=ax),
    "roc_curve": lambda runs, ax: plots.roc_curve(runs, "eval/roc/1", ax=ax),
    "scatter_matrix": lambda runs, ax: plots.scatter_matrix(runs, "acc", ax=ax),
    "time_to": lambda runs, ax: plots.time_to(runs, "acc", 0.9, ax=ax),
    "time_to by": lambda runs, ax: plots.time_to(runs, "acc", 0.9, by="optimizer", ax=ax),
    "trials": lambda _, ax: plots.trials(
        [0.2, np.nan, 0.7], metric="acc", mode="max", spreads=[0.1, 0, 0], ax=ax
    ),
}


def test_every_plot_is_tried() -> None:
    assert {name.split()[0] for name in EVERY} - {"heatmap"} == set(plots.__all__) - {"Plot"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", EVERY)
def test_a_plot_shows_itself_in_a_notebook(name: str, runs: Runs, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    plot = EVERY[name](runs, None)
    assert isinstance(plot, plots.Plot)
    assert len(repr(plot)) < 80
    assert dict(mpl.rcParams) == before
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a layout that does not fit, a missing glyph
        warnings.simplefilter("ignore", DeprecationWarning)  # an old Matplotlib's, of pyparsing
        shown = plot._repr_png_()
        plot.save(tmp_path / "plot.png", dpi=50)
    assert shown is not None
    data, size = shown
    image = Image.open(io.BytesIO(data))
    assert image.size == pytest.approx((2 * size["width"], 2 * size["height"]), abs=2)
    assert np.asarray(image.convert("L")).std() > 1
    assert Image.open(tmp_path / "plot.png").size[0] < image.size[0]


def lightness(color: Any) -> float:
    """Relative luminance, as of WCAG 2."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("style", ["dark_background", "default"])
@pytest.mark.parametrize("name", EVERY)
def test_words_and_lines_stand_out_from_the_paper(name: str, style: str, runs: Runs, tmp_path: Path) -> None:
    with mpl.style.context(style):
        plot = EVERY[name](runs, None)
    plot.save(tmp_path / "plot.svg")  # outside of the style, as in a notebook
    paper = lightness(plot.ax.get_facecolor())
    assert (paper < 0.1) is (style == "dark_background")

    def contrast(color: Any) -> float:
        low, high = sorted((paper, lightness(color)))
        return (high + 0.05) / (low + 0.05)

    words = [text for text in plot.figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    over_pixels = {text for ax in plot.figure.findobj(Axes) if ax.images for text in ax.texts}
    assert min((contrast(text.get_color()) for text in {*words} - over_pixels), default=9.0) > 2.5
    lines = [line for line in plot.ax.lines if line.get_alpha() in (None, 1.0)]
    assert min((contrast(line.get_color()) for line in lines), default=9.0) > 1.5


def test_axes_that_are_dark_outside_of_a_style_get_light_words(runs: Runs) -> None:
    with mpl.style.context("dark_background"):
        ax = Figure().subplots()
    legend = plots.curves(runs, "loss", ax=ax).legend
    assert legend is not None
    assert min(lightness(text.get_color()) for text in legend.get_texts()) > 0.5
    assert lightness(legend.get_frame().get_facecolor()) < 0.1


@pytest.mark.parametrize("name", EVERY)
def test_a_plot_draws_into_axes_that_are_given(name: str, runs: Runs) -> None:
    figure = Figure(figsize=(6, 3))
    left, right = figure.subplots(1, 2)
    plot = EVERY[name](runs, left)
    assert plot.ax is left and plot.figure is figure
    assert figure.axes == [left, right]  # none is added: others' layouts stay
    assert not right.has_data()
    assert plot._repr_png_() is None  # whose figure it is shows it
    figure.savefig(io.BytesIO(), format="png", dpi=30)


def test_pyplot_is_not_even_imported(runs: Runs) -> None:
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


def test_the_data_steps_need_no_matplotlib(nine: Runs, tmp_path: Path) -> None:
    code = (
        "import sys, vizkit; from vizkit.curves.curves import curves_data\n"
        "sys.modules['matplotlib'] = None\n"
        "runs = vizkit.load(sys.argv[1]); print(len(curves_data(runs, 'eval/acc').series))\n"
        "try: runs.plot('eval/acc')\n"
        "except vizkit.MissingDependencyError as error: print(error)\n"
    )
    done = python(code, tmp_path)
    asked = "plots need matplotlib: pip install 'paddle-vizkit[plots]'"
    assert done.stdout.splitlines() == ["9", asked], done.stderr
