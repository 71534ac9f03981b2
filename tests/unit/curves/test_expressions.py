"""Expressions over tags, beside NumPy and Python's own grammar."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vizkit
from vizkit.curves.curves import curves_data
from vizkit.curves.expressions import Expression, computed, has, parsed, runs_with
from vizkit.curves.traces import trace_of
from vizkit.curves.windows import Columns
from vizkit.curves.x_axis import x_and_values
from vizkit.errors import DataError, UnknownNameError
from vizkit.metrics.arrays import Floats

TAGS = {"train/loss": "a", "eval/loss": "b", "a b {": "c"}
PYTHON = {
    "number": np.float64,
    **{name: getattr(np, name) for name in ("abs", "log", "log10", "exp", "sqrt")},
    "min": lambda *values: functools.reduce(np.minimum, values),
    "max": lambda *values: functools.reduce(np.maximum, values),
}

Texts = tuple[str, str]
"""An expression, and the same in Python."""


def _joined(left: Texts, sign: str, right: Texts) -> Texts:
    return f"{left[0]} {sign}{right[0]}", f"{left[1]} {sign} {right[1]}"


def _called(name: str, values: list[Texts]) -> Texts:
    ours, python = (", ".join(value[side] for value in values) for side in (0, 1))
    return f"{name}({ours})", f"{name}({python})"


def texts(inner: st.SearchStrategy[Texts]) -> st.SearchStrategy[Texts]:
    return st.one_of(
        st.builds(_joined, inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner),
        inner.map(lambda one: (f"-{one[0]}", f"-{one[1]}")),
        inner.map(lambda one: (f"+ {one[0]}", f"+ {one[1]}")),
        inner.map(lambda one: (f"( {one[0]})", f"({one[1]})")),
        st.builds(
            _called, st.sampled_from(["abs", "log", "log10", "exp", "sqrt"]), st.tuples(inner).map(list)
        ),
        st.builds(_called, st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=4)),
    )


tags = st.sampled_from([(f"{{{tag}}}", name) for tag, name in TAGS.items()])
numbers = st.sampled_from(["0", "2", "0.5", ".25", "3.", "1e-3", "2E+1"]).map(
    lambda one: (one, f"number({one})")
)
values = st.lists(st.floats(width=32) | st.sampled_from([0.0, 1.0, -2.0]), min_size=3, max_size=3).map(
    np.array
)


@settings(max_examples=300, deadline=None)
@given(st.recursive(tags | numbers, texts, max_leaves=8), st.tuples(values, values, values))
def test_values_are_those_of_python_and_numpy(both: Texts, columns: tuple[Floats, ...]) -> None:
    ours, python = both
    if "{" not in ours:
        with pytest.raises(DataError, match="names no tag"):
            parsed(ours)
        return
    expression = parsed(ours)
    named = dict(zip(TAGS.values(), columns, strict=True))
    found = expression.of([named[TAGS[tag]] for tag in expression.tags])
    with np.errstate(all="ignore"):
        expected: Any = eval(python, PYTHON | named)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a} +", "ends too early"),
        ("{a} {b}", "'{b}' cannot stand at character 5"),
        ("({a}", "ends too early"),
        ("{a})", "cannot stand at character 4"),
        ("{a} ^ 2", "'^' cannot stand at character 5"),
        ("{a", "no tag in the braces from character 1 on"),
        ("{} + {a}", "no tag in the braces from character 1 on"),
        ("loss - {a}", "no function loss"),
        ("__import__('os') + {a}", "cannot stand at character 1"),
        ("min({a})", "cannot stand at character 8"),
        ("abs({a}, {a})", "cannot stand"),
        ("1 + 2 {", "no tag in the braces"),
        ("-" * 40 + "{a}", "at most 30"),
        ("(" * 300 + "{a}" + ")" * 300, "at most 30"),
        ("{a}" + " + 1" * 300, "at most 1000 characters"),
        ("{a}.real", "cannot stand at character 4"),
        ("{a}[0]", "cannot stand at character 4"),
    ],
)
def test_what_is_none_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parsed(text)
    assert message in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.text("{}ab/ +-*()1.,emin", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parsed(text)
    except DataError:
        return
    assert isinstance(found, Expression)
    assert found.of([np.ones(2)] * len(found.tags)).shape == (2,)


def test_a_closing_brace_of_a_tag_is_written_twice() -> None:
    assert parsed("{a}}b} - {{c}").tags == ("a}b", "{c")


class Record:
    """Writes a run of some tags at some steps."""

    def __init__(self, root: Path, name: str = "run") -> None:
        self.root, self.name = root, name

    def __call__(self, **steps: list[int]) -> vizkit.Run:
        with vizkit.LogWriter(self.root / self.name) as writer:
            for tag, places in steps.items():
                for number, step in enumerate(places):
                    writer.add_scalar(tag, _value(tag, number), step, 1_767_225_600_000 + 10 * number)
        (run,) = [run for run in vizkit.load(self.root) if run.name == self.name]
        return run


def _value(tag: str, number: int) -> float:
    return (1.0 + number) * (1.0 if tag == "a" else 1 / 8)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        (list(range(20)), [4, 9, 14, 19]),
        ([4, 9, 14, 19], list(range(20))),
        ([0, 10, 20], [5, 15]),
        ([5, 15], [0, 10, 20]),
        ([0, 0, 1, 1, 2], [0, 1, 2]),
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2]),
        ([0, 1, 2, 0, 1, 2], [1, 2]),
        ([7, 8], [1, 2, 3]),
        ([1, 2, 3], [7, 8]),
    ],
)
def test_a_point_stands_at_each_record_of_the_sparser_tag(record: Record, a: list[int], b: list[int]) -> None:
    run = record(a=a, b=b)
    columns = {tag: run.columns(tag) for tag in ("a", "b")}
    base, other = (columns["a"], columns["b"]) if len(a) <= len(b) else (columns["b"], columns["a"])
    expected = []
    for number, step in enumerate(base.steps.tolist()):
        before = [(at, place) for place, at in enumerate(other.steps.tolist()) if at <= step]
        place = number if a == b else max(before)[1] if before else None
        if place is not None:
            both = base.values[number], other.values[place]
            here, there = both if base is columns["a"] else both[::-1]
            expected.append((step, here - 2 * there))
    x, y = x_and_values(run, "{a} - 2 * {b}", "step")
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == expected
    assert computed(run, "{a} - 2 * {b}").tag == ("a" if base is columns["a"] else "b")


@pytest.mark.parametrize("x", ["step", "time", "relative", "walltime", "a"])
def test_windows_are_those_of_all_values(record: Record, x: str) -> None:
    run = record(a=list(range(3000)), b=list(range(3000)), c=list(range(5, 3000, 2)))
    for text in ("log({a}) / ({b} - 2)", "{c} ** 2 - {a}", "{b} - {c}"):
        places, values = x_and_values(run, text, x)
        trace = trace_of(run, text, x)
        np.testing.assert_array_equal(trace.x[:], places)
        np.testing.assert_array_equal(trace.y[:], values)
        ends = trace.range
        assert ends is not None
        drawn = trace.window(*ends, 10).drawn
        assert isinstance(drawn, Columns)
        finite = values[np.isfinite(values)]
        assert np.nanmin(drawn.least) == finite.min()
        assert np.nanmax(drawn.greatest) == finite.max()
        infinite = int(np.isinf(values).sum())
        assert int((drawn.above + drawn.below).sum()) == infinite == (text.startswith("log"))


def test_a_tag_of_that_very_name_is_the_tag(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("{a}", 7.0, 0)
        writer.add_scalar("a", 1.0, 0)
    (run,) = vizkit.load(tmp_path)
    assert x_and_values(run, "{a}", "step")[1].tolist() == [7.0]
    assert x_and_values(run, "1 * {a}", "step")[1].tolist() == [1.0]


def test_only_runs_with_all_tags_have_the_expression(tmp_path: Path) -> None:
    Record(tmp_path, "both")(a=[0, 1], b=[0, 1])
    Record(tmp_path, "one")(a=[0, 1])
    runs = vizkit.load(tmp_path)
    assert [run.name for run in runs_with(runs, "{a} - {b}")] == ["both"]
    assert not has(runs["one"], "{a} - {b}")
    data = curves_data(runs, ["{a} * 2 - {b}", "a"])
    assert [(curve.name, curve.tag) for curve in data.series] == [
        ("both", "{a} * 2 - {b}"),
        ("both", "a"),
        ("one", "a"),
    ]
    assert data.series[0].y.tolist() == [1.875, 3.75]
    with pytest.raises(UnknownNameError, match="'bb'; closest: 'b'"):
        curves_data(runs, "{a} - {bb}")
    other = Record(tmp_path, "other")(b=[0])
    with pytest.raises(UnknownNameError, match="no run has all tags"):
        curves_data([runs["one"], other], "{a} - {b}")
    with pytest.raises(DataError, match="ends too early"):
        runs.plot("{a} -")


def test_the_interval_of_a_difference_has_no_bounds(tmp_path: Path) -> None:
    for seed in range(3):
        with vizkit.Tracker(tmp_path / f"run{seed}", hparams={"seed": seed, "lr": 1}) as tracker:
            tracker.log({"eval/acc": 0.9 - 0.3 * seed, "train/acc": 0.95 - 0.2 * seed}, step=0)
    (mean,) = curves_data(vizkit.load(tmp_path), "{eval/acc} - {train/acc}", by="lr", band="ci").series
    assert mean.low is not None and mean.low[0] < 0
    assert math.isclose(mean.y[0], -0.15)


def test_runs_are_drawn_by_an_expression(tmp_path: Path) -> None:
    Record(tmp_path)(a=[0, 1], b=[0, 1])
    drawn = vizkit.load(tmp_path).plot("{a} - {b}", x="step")
    (line,) = drawn.lines.values()
    assert np.asarray(line.get_ydata()).tolist() == [0.875, 1.75]
