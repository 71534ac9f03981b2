from __future__ import annotations

from typing import Any

import pytest

from vizkit import DataError
from vizkit.hooks._spacing import Spacing


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def recorded(spacing: Spacing, clock: Clock, steps: range, step_seconds: float, cost: float) -> list[int]:
    out = []
    for step in steps:
        if spacing.due(step):
            assert spacing.due(step)  # asked again, it says the same
            out.append(step)
            for _ in range(2):  # in two parts, with some training between
                with spacing.timed():
                    clock.now += cost / 2
                clock.now += step_seconds / 2
        else:
            clock.now += step_seconds
    return out


@pytest.mark.parametrize(
    ("every", "overhead", "cost", "apart"),
    [
        (100, None, 1e6, 100),
        (1, 0.02, 0.001, 1),
        (1, 0.02, 2.0, 100),
        (10, 0.02, 0.001, 10),
        (10, 0.02, 2.5, 130),
        ("auto", None, 0.5, 100),
        ("auto", None, 2.0, 200),
    ],
)
def test_records_cost_their_share_at_most(every: Any, overhead: Any, cost: float, apart: int) -> None:
    clock = Clock()
    steps = recorded(Spacing(every, "every", overhead, clock), clock, range(1001), 1.0, cost)
    assert steps == list(range(0, 1001, apart))


def test_costs_that_grow_widen_the_spacing() -> None:
    clock = Clock()
    spacing = Spacing(1, "every", 0.1, clock)
    assert len(recorded(spacing, clock, range(100), 1.0, 0.5)) == pytest.approx(100 / 5, abs=1)
    assert len(recorded(spacing, clock, range(100, 1100), 1.0, 10.0)) == pytest.approx(1000 / 100, abs=1)


def test_a_pause_pays_for_one_record_only() -> None:
    clock = Clock()
    spacing = Spacing(1, "every", 0.1, clock)
    recorded(spacing, clock, range(5), 1.0, 2.0)
    clock.now += 3600
    assert recorded(spacing, clock, range(5, 25), 1.0, 2.0) == [5]


def test_what_raises_has_cost_too() -> None:
    clock = Clock()
    spacing = Spacing(1, "every", 0.1, clock)
    assert spacing.due(0)
    with pytest.raises(KeyError), spacing.timed():
        clock.now += 1.0
        raise KeyError
    assert not spacing.due(1)


def test_never() -> None:
    assert not Spacing(None, "every").on
    assert not Spacing(None, "every").due(0)


@pytest.mark.parametrize("options", [(0,), (-1,), (1.5,), (True,), ("often",), (1, 0), (1, 1), (1, "x")])
def test_bad_options(options: Any) -> None:
    every, *overhead = options
    with pytest.raises(DataError, match="overhead must be" if overhead else "images_every must be"):
        Spacing(every, "images_every", *overhead)
