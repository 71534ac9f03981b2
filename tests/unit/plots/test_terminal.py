"""Curves drawn in characters."""

from __future__ import annotations

import numpy as np
import pytest
from rich.cells import cell_len

import vizkit
from vizkit.curves.curves import Curve, CurvesData
from vizkit.metrics.arrays import Floats
from vizkit.plots.terminal import Drawing, TextSpan, draw, series_of


def data(*values: list[float], x: list[float] | None = None, **options: object) -> CurvesData:
    """Curves of these values over the same x, by default 0, 1, ..."""
    curves = []
    for k, each in enumerate(values):
        places: Floats = np.array(x if x is not None else range(len(each)), dtype=np.float64)
        y = np.array(each, dtype=np.float64)
        curves.append(Curve(f"run{k}", k, places, y, y))
    found = CurvesData("loss", "step", "", tuple(curves))
    return CurvesData(**{**vars(found), **options})


def rows(drawing: Drawing) -> list[str]:
    return str(drawing).splitlines()


def test_a_line_goes_from_corner_to_corner() -> None:
    lines = rows(draw(data([0, 1, 2, 3]), 40, 8))
    assert lines[0] == "loss"
    assert lines[1].startswith("  3 |") and lines[5].startswith("  0 |")
    assert lines[1][-1] != " "  # the last value is at the top
    assert lines[5][5] != " "  # the first one at the bottom
    assert lines[6].strip().startswith("+---") and lines[7].split() == ["0", "step", "3"]
    assert lines[8] == "run0  last 3"
    assert all(len(line) <= 40 for line in lines)


def test_long_names_fit_the_width_and_stay_apart() -> None:
    start = "a long name of a run " * 9
    curves = tuple(
        Curve(f"{start}{end}", k, np.arange(2.0), np.arange(2.0), np.arange(2.0))
        for k, end in enumerate("ab")
    )
    names = rows(draw(CurvesData("loss", "step", "", curves), 60, 8))[-2:]
    assert len(set(names)) == 2 and all(len(name) <= 60 for name in names)


def test_curves_have_letters_or_dots() -> None:
    two = data([0, 1], [1, 0])
    plain = rows(draw(two, 40, 8))
    assert "a" in plain[1] and "b" in plain[1] and plain[-2:] == ["a run0  last 1", "b run1  last 0"]
    coloured = draw(two, 40, 8, plain=False)
    assert {span.series for row in coloured.rows[1:6] for span in row} >= {0, 1}
    assert coloured.rows[-1] == [TextSpan("━━ ", 1), TextSpan("run1  last 0")]


def test_a_spike_is_drawn_however_narrow_the_drawing() -> None:
    values = np.zeros(10_000)
    values[5_000] = 1.0
    lines = rows(draw(data(values.tolist()), 30, 6))
    assert lines[1].partition("|")[2].strip()


def test_values_that_are_not_finite_are_marked_and_counted() -> None:
    nan, inf = float("nan"), float("inf")
    lines = rows(draw(data([0, nan, 1, inf, 2, -inf, 3]), 40, 8))
    assert "^" in lines[1] and "x" in lines[5] and "v" in lines[5]
    assert lines[-1] == "1 NaN (x), 1 inf (^), 1 -inf (v)"
    alone = rows(draw(data([nan, nan]), 40, 8))
    assert alone[5].count("x") == 2 and alone[-1] == "2 NaN (x)"


def test_a_logarithmic_axis_has_equal_decades() -> None:
    lines = rows(draw(data([0.01, 0.1, 1.0]), 40, 9, log=True))
    assert lines[0] == "loss (log)"
    assert [line.partition("|")[0].strip() for line in (lines[1], lines[4], lines[6])] == ["1", "0.1", "0.01"]
    hidden = rows(draw(data([1.0, 0.0, 10.0], hidden=1), 40, 8, log=True))
    assert "v" in hidden[5] and hidden[-1] == "1 not above 0 (v)"


def test_limits_cut_the_axis_and_say_what_lies_outside() -> None:
    lines = rows(draw(data([0, 1, 100], limits=(0.0, 1.0), above=1), 40, 8))
    assert lines[1].startswith("  1 |") and lines[-1] == "1 above the axis"


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [0.0, 0.0]])
def test_a_constant_lies_in_the_middle(values: list[float]) -> None:
    lines = rows(draw(data(values), 40, 8))
    assert [bool(line.partition("|")[2].strip()) for line in lines[1:6]].count(True) == 1
    assert lines[3].partition("|")[2].strip()


def test_nothing_to_draw_leaves_empty_axes() -> None:
    lines = rows(draw(CurvesData("loss", "step", "", ()), 40, 8))
    assert lines[0] == "loss" and len(lines) == 8
    assert "run0" in rows(draw(data([]), 40, 8))[-1]
    beside = rows(draw(data([1.0, 2.0], x=[float("nan"), 1.0]), 40, 8))
    assert beside[7].split() == ["1", "step", "1"]


def test_units_and_numbers_of_runs_are_named() -> None:
    y = np.array([1.0, 2.0])
    mean = Curve("lr = 0.1", 0, np.array([0.0, 2.0]), y, y, y - 1, y + 1, 3)
    found = CurvesData("acc", "time", "min", (mean,))
    lines = rows(draw(found, 40, 8))
    assert "time since the start (min)" in lines[7] and lines[8] == "lr = 0.1  last 2  (3 runs)"


def test_numbers_of_a_drawing_are_plain_data() -> None:
    y = np.array([1.0, 2.0])
    plain = Curve("run", 0, np.arange(2.0), y, y)
    rich = Curve("mean", 1, np.arange(2.0), y, y / 2, y - 1, y + 1, 2)
    first, second = series_of(CurvesData("loss", "step", "", (plain, rich)))
    assert list(first) == ["name", "runs", "x", "y"]
    assert list(second) == ["name", "runs", "x", "y", "smooth", "low", "high"] and second["runs"] == 2


def test_letters_are_none_of_the_marks_and_words_are_in_the_users_language() -> None:
    x = np.arange(3.0)
    curves = tuple(Curve(f"run{k}", k, x, x + k, x + k) for k in range(60))
    drawing = draw(CurvesData("loss", "time", "s", curves), 80, 20)
    letters = [row[0].text for row in drawing.rows[-60:]]
    assert len({*letters}) == 60 and not {"x ", "v "} & {*letters}
    assert "time since the start (s)" in str(drawing)
    vizkit.language("zh")
    chinese = str(draw(CurvesData("loss", "time", "s", curves), 80, 20)).splitlines()
    (axis,) = [line for line in chinese if "自开始起的时间 (s)" in line]
    assert cell_len(axis) == 80
