"""Axes of hyper-parameters and metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.unit.conftest import Write
from vizkit import Runs
from vizkit.errors import DataError, UnknownNameError
from vizkit.plots._hparam_axes import hparam_axes


def test_settings_are_what_differs_and_the_best_metric(nine: Runs) -> None:
    data = hparam_axes(nine, ["eval/acc", "eval/loss"])
    columns = {column.name: column for column in data.columns}
    assert list(columns) == ["optimizer", "batch size", "lr", "eval/acc", "eval/loss"]  # no epochs
    assert columns["optimizer"].ticks == ((0.0, "Adam"), (1.0, "Momentum"), (2.0, "SGD"))
    assert columns["lr"].scale == "log" and columns["lr"].places.min() == -3
    assert columns["batch size"].scale == "linear"
    assert columns["eval/acc"].places.max() == pytest.approx(0.9009)
    assert columns["eval/loss"].places.min() == pytest.approx(0.0991)  # the lowest is the best
    assert [column.name for column in hparam_axes(nine, "eval/acc", ["lr"]).columns] == ["lr", "eval/acc"]
    with pytest.raises(UnknownNameError, match="batch size"):
        hparam_axes(nine, "eval/acc", ["batch"])
    with pytest.raises(DataError, match="no hyper-parameter differs"):
        hparam_axes(nine[:1], "eval/acc")


def test_a_missing_setting_has_no_place(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.5]}, {"lr": 0.1})
    write("b", {"acc": [0.6]}, {})
    column = hparam_axes(vizkit.load(tmp_path), "acc").columns[0]
    assert column.places[0] == 0.1 and np.isnan(column.places[1])


def test_a_setting_that_is_an_equal_number_does_not_differ(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.5]}, {"batch size": 64, "lr": 0.1})
    write("b", {"acc": [0.6]}, {"batch size": 64.0, "lr": 0.2})
    assert [column.name for column in hparam_axes(vizkit.load(tmp_path), "acc").columns] == ["lr", "acc"]


def test_a_metric_has_to_be_named(nine: Runs) -> None:
    with pytest.raises(DataError, match="name a metric"):
        hparam_axes(nine, [])


def test_numbers_that_no_float_holds_are_categories(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.5]}, {"seed": 10**400})
    write("b", {"acc": [0.6]}, {"seed": 3})
    axis = hparam_axes(vizkit.load(tmp_path), "acc").columns[0]
    assert axis.scale == "category" and axis.places.tolist() == [1.0, 0.0]
