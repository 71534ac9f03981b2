"""Fonts for labels in any script."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from vizkit import Runs, plots
from vizkit.errors import VizKitWarning
from vizkit.media import lettering
from vizkit.plots._fonts import add_fallbacks


@pytest.fixture
def _unwarned() -> Iterator[None]:
    warned = dict(lettering._warned)
    lettering._warned.clear()
    yield
    lettering._warned.clear()
    lettering._warned.update(warned)


def test_chinese_labels_get_a_font_that_has_them(runs: Runs) -> None:
    plot = plots.confusion_matrix(runs[0])
    label = plot.ax.get_yticklabels()[0]
    assert label.get_text() == "猫"
    assert label.get_fontfamily()[0] == mpl.rcParams["font.family"][0]  # Latin letters stay as they are
    assert len(label.get_fontfamily()) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        plot.figure.savefig(io.BytesIO(), format="png")


@pytest.mark.usefixtures("_unwarned")
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
