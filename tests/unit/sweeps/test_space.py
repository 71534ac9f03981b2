"""Search spaces: what they hold, the points of their grids, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.errors import DataError
from vizkit.sweeps import choice, integers, log, uniform, when
from vizkit.sweeps.space import as_space, checked_point, grid_points, is_grid


def test_a_grid_has_every_combination_once() -> None:
    space = as_space({"lr": [0.1, 0.01], "batch": (32, 64), "net": "LeNet"})
    assert grid_points(space) == [
        {"lr": 0.1, "batch": 32, "net": "LeNet"},
        {"lr": 0.1, "batch": 64, "net": "LeNet"},
        {"lr": 0.01, "batch": 32, "net": "LeNet"},
        {"lr": 0.01, "batch": 64, "net": "LeNet"},
    ]
    assert is_grid(space) and not is_grid(as_space({"lr": log(1e-3, 1)}))


def test_a_conditional_hyper_parameter_is_in_the_points_where_it_is_there() -> None:
    space = as_space({"optimizer": ["SGD", "Adam"], "momentum": when([0.8, 0.9], optimizer="SGD")})
    assert grid_points(space) == [
        {"optimizer": "SGD", "momentum": 0.8},
        {"optimizer": "SGD", "momentum": 0.9},
        {"optimizer": "Adam"},
    ]


def test_numbers_of_numpy_are_taken_for_pythons() -> None:
    space = as_space({"lr": np.array([0.5, 1.0]), "batch": [np.int64(32), 64], "x": uniform(0, 1)})
    assert space["lr"].options == (0.5, 1.0) and [type(n) for n in space["batch"].options] == [int, int]
    point = checked_point(space, {"lr": 1, "batch": np.float32(64), "x": np.float64(0.25)})
    assert point == {"lr": 1.0, "batch": 64, "x": 0.25}
    assert [type(value) for value in point.values()] == [float, int, float]
    with pytest.raises(DataError, match=r"batch = 65\.0 is not in the space"):
        checked_point(space, {"batch": 65.0})
    assert uniform(0, 1).to_dict() == {"low": 0.0, "high": 1.0} and choice([1]).to_dict() == {"options": (1,)}


@given(low=st.integers(-50, 50), width=st.integers(1, 40), step=st.integers(1, 9))
def test_the_grid_of_whole_numbers_is_their_range(low: int, width: int, step: int) -> None:
    found = grid_points(as_space({"n": integers(low, low + width, step)}))
    assert [point["n"] for point in found] == list(range(low, low + width + 1, step))


def test_a_grid_of_steps_ends_at_the_high_end() -> None:
    assert [p["x"] for p in grid_points(as_space({"x": uniform(0, 1, 0.1)}))] == pytest.approx(
        [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    )


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({}, "the space is empty"),
        ([], "a space is a dict"),
        ({"lr": []}, "lr: a choice needs at least one value"),
        ({"lr": [1, 1]}, "lr: a choice holds a value twice"),
        ({"lr": [1, 2.5, 1.0]}, "lr: a choice holds a value twice"),
        ({"lr": [None, True, "x", 1]}, "lr: a choice holds a value twice"),
        ({"lr": [object()]}, "lr: a choice is among numbers"),
        ({"lr": [float("nan")]}, "lr: a choice must be finite"),
        ({1: [2]}, "a hyper-parameter's name is a text, got 1"),
        ({"m": when([1], opt="SGD"), "opt": ["SGD"]}, "'m' depends on 'opt', which must stand before it"),
        ({"opt": ["SGD"], "m": when([1], opt="Adam")}, "'m' is there if 'opt' is 'Adam', which it never is"),
    ],
)
def test_bad_spaces_are_refused_by_name(space: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        as_space(space)


@pytest.mark.parametrize(
    "make",
    [
        lambda: log(0, 1),
        lambda: log(1, 1),
        lambda: log(-1, 1),
        lambda: uniform(2, 1),
        lambda: uniform(0, float("inf")),
        lambda: uniform(0, 1, 0),
        lambda: uniform(True, 2),
        lambda: integers(1, 2.5),  # type: ignore[arg-type]
        lambda: integers(0, 8, log=True),
        lambda: integers(1, 8, 0),
        lambda: choice([]),
    ],
)
def test_bad_ranges_are_refused(make: Any) -> None:
    with pytest.raises(DataError):
        make()


def test_a_grid_without_an_end_is_refused() -> None:
    with pytest.raises(DataError, match="lr has no end of values"):
        grid_points(as_space({"lr": log(1e-3, 1)}))
    with pytest.raises(DataError, match="more than 1,000,000 points"):
        grid_points(as_space({name: list(range(101)) for name in "abc"}))


def test_points_are_checked_against_the_space() -> None:
    space = as_space({"lr": log(1e-3, 1), "batch": [32, 64], "n": integers(1, 4)})
    assert checked_point(space, {"lr": 0.5, "n": 4}) == {"lr": 0.5, "n": 4}
    for bad in ({"lr": 2.0}, {"batch": 33}, {"batch": "32"}, {"n": 1.5}, {"n": True}, {"rate": 1}, 3):
        with pytest.raises(DataError):
            checked_point(space, bad)
