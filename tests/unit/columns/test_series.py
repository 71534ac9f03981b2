"""Columns that grow."""

from __future__ import annotations

import numpy as np
import pytest

from vizkit.columns.column_extremes import ColumnEdges, column_extremes
from vizkit.columns.series import Series, SortedRows, Stretch


def rows(steps: list[int] | list[float], values: list[float]) -> SortedRows:
    times = np.array(steps).astype(np.int64) + 5
    return SortedRows(np.array(steps), times, (np.array(values),))


def test_records_are_appended_and_earlier_views_stay() -> None:
    series = Series(10)
    series.append(0, rows([9, 0, 1], [0.0, 0.5, 0.25]), 1, 3, 30)
    before = series.columns()
    series.append(0, rows([2.0, 2.5], [1.0, 2.0]), 0, 2, 50)
    assert (series.first, series.end, series.count) == (10, 50, 4)
    assert [column.tolist() for column in before] == [[0, 1], [5, 6], [0.5, 0.25]]
    assert [column.tolist() for column in series.columns()] == [
        [0, 1, 2, 2.5],
        [5, 6, 7, 7],
        [0.5, 0.25, 1.0, 2.0],
    ]
    with pytest.raises(ValueError, match="read-only"):
        series.columns()[1][0] = 1


def test_what_was_appended_is_never_written_to() -> None:
    given = rows([0, 1], [0.5, 0.25])
    series = Series(0)
    series.append(0, given, 0, 2, 20)
    series.columns()
    series.append(0, rows([2], [1.0]), 0, 1, 30)
    assert series.count == 3
    assert given.steps.tolist() == [0, 1]
    assert series.columns()[2].tolist() == [0.5, 0.25, 1.0]


@pytest.mark.parametrize("asked", [1, 3, 1000])
def test_columns_are_those_of_all_parts_however_often_they_are_asked_for(asked: int) -> None:
    series = Series(0)
    for step in range(500):
        series.append(step // 100, rows([step, -1], [step / 7, 0.0]), 0, 1, step)
        if step % asked == 0:
            assert series.columns()[0].tolist() == list(range(step + 1))
    steps, times, values = series.columns()
    assert steps.tolist() == list(range(500)) == (times - 5).tolist()
    assert values.tolist() == [step / 7 for step in range(500)]
    assert series.sessions == [Stretch(n, 100 * n, 100 * n, 100 * n + 5, 100 * n + 99) for n in range(5)]


def test_adjacent_rows_of_two_sessions_are_one_part() -> None:
    series, columns = Series(0), rows([0, 1, 2], [0.0, 1.0, 2.0])
    series.append(0, columns, 0, 1, 10)
    series.append(1, columns, 1, 3, 30)
    assert series.sessions == [Stretch(0, 0, 0, 5, 0), Stretch(1, 1, 1, 6, 2)]
    assert series.columns()[0].tolist() == [0, 1, 2]


def test_long_columns_are_packed_and_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.columns.series.LONG", 100)
    random = np.random.default_rng(0)
    values = random.random(400)
    values[150] = np.nan
    steps, walltimes = np.arange(400), np.arange(400) * 3
    every = SortedRows(steps, walltimes, (values,))
    series = Series(0)
    for start, end in ((0, 90), (90, 130), (130, 140), (140, 250), (250, 400)):
        series.append(0, every, start, end, end)
        series.pack()
        assert bool(series.packed) is (end >= 100)
        for column, expected in zip(series.columns(), (steps, walltimes, values), strict=True):
            np.testing.assert_array_equal(column, expected[:end])
        assert series.ascends
        ((least, _),) = column_extremes(
            [(series.pyramid, series.column(2))], [ColumnEdges(np.array([0, end]))]
        )
        assert least[0] == np.nanmin(values[:end])
    series.append(0, rows([7], [9.0]), 0, 1, 401)
    assert not series.ascends


def test_a_fractional_step_behind_packed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.columns.series.LONG", 2)
    series = Series(0)
    series.append(0, rows([0, 1, 2], [0.0, 0.0, 0.0]), 0, 3, 9)
    series.pack()
    series.append(0, rows([3.5], [0.0]), 0, 1, 10)
    assert series.columns()[0].tolist() == [0, 1, 2, 3.5]
    series.pack()
    assert series.columns()[0].tolist() == [0, 1, 2, 3.5]
