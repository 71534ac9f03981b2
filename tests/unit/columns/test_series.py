"""Columns that grow."""

from __future__ import annotations

import numpy as np
import pytest

from vizkit.columns.series import Series


def test_records_are_appended_and_earlier_views_stay() -> None:
    series = Series(10, np.float64)
    series.extend(1.0, 30, np.array([0, 1]), None, np.array([5, 6]), np.array([0.5, 0.25]))
    before = series.columns()
    series.extend(1.0, 50, np.array([2, 0]), np.array([np.nan, 2.5]), np.array([7, 8]), np.array([1.0, 2.0]))
    assert (series.first, series.end, series.count) == (10, 50, 4)
    assert [column.tolist() for column in before] == [[0, 1], [5, 6], [0.5, 0.25]]
    assert [column.tolist() for column in series.columns()] == [
        [0, 1, 2, 2.5],
        [5, 6, 7, 8],
        [0.5, 0.25, 1.0, 2.0],
    ]
    with pytest.raises(ValueError, match="read-only"):
        series.columns()[1][0] = 1


def test_fractions_that_are_none_leave_steps_whole() -> None:
    series = Series(0, np.float64)
    series.extend(1.0, 9, np.array([2**53 + 1]), np.array([np.nan]), np.array([5]), np.array([0.5]))
    assert series.columns()[0].tolist() == [2**53 + 1]


def test_columns_that_were_adopted_are_never_written_to() -> None:
    steps = np.array([0, 1])
    series = Series(0, np.float64)
    series.adopt(20, [steps, np.array([5, 6]), np.array([0.5, 0.25])])
    series.extend(2.0, 30, np.array([2]), None, np.array([7]), np.array([1.0]))
    assert series.count == 3
    assert steps.tolist() == [0, 1]
    assert series.columns()[2].tolist() == [0.5, 0.25, 1.0]


def test_long_columns_are_packed_and_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.columns.series.LONG", 100)
    random = np.random.default_rng(0)
    values = random.random(400)
    values[150] = np.nan
    steps, walltimes = np.arange(400), np.arange(400) * 3
    series = Series(0, np.float64)
    for start, end in ((0, 90), (90, 130), (130, 140), (140, 250), (250, 400)):
        series.extend(1.5, end, steps[start:end], None, walltimes[start:end], values[start:end])
        series.pack()
        assert bool(series.packed) is (end >= 100)
        for column, expected in zip(series.columns(), (steps, walltimes, values), strict=True):
            np.testing.assert_array_equal(column, expected[:end])
        assert series.ascends and (series.step(end - 1), series.walltime(5)) == (end - 1, 15)
        least, _ = series.pyramid.extremes(series.column(2), np.array([0]), np.array([end]))
        assert least[0] == np.nanmin(values[:end])
    series.extend(1.0, 401, np.array([7]), None, np.array([8]), np.array([9.0]))
    assert not series.ascends


def test_a_fractional_step_behind_packed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.columns.series.LONG", 2)
    series = Series(0, np.float64)
    series.extend(1.0, 9, np.arange(3), None, np.arange(3), np.zeros(3))
    series.pack()
    series.extend(1.0, 10, np.array([0]), np.array([3.5]), np.array([3]), np.zeros(1))
    assert series.columns()[0].tolist() == [0, 1, 2, 3.5]
    series.pack()
    assert series.columns()[0].tolist() == [0, 1, 2, 3.5]
