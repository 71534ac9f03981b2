"""Verdicts on sweeps: who is worse, who cannot be told apart, and what may be said at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit.errors import QueryError
from vizkit.runs.sequential import anytime_interval, more_seeds, seeds_to_tell
from vizkit.sweeps import SweepResult, Trial


def result(*values: list[float], mode: str = "max", objective: str = "last") -> SweepResult:
    trials = tuple(
        Trial(number, {"lr": number}, "finished", tuple(some), ()) for number, some in enumerate(values)
    )
    return SweepResult("log", "eval/acc", mode, objective, len(values[0]), trials)  # type: ignore[arg-type]


NOISE = np.random.default_rng(5).normal(0, 0.01, (3, 12))


def test_clear_differences_are_told() -> None:
    found = result([*0.9 + NOISE[0]], [*0.5 + NOISE[1]], [*0.1 + NOISE[2]]).verdict()
    assert (found.best, found.worse, found.open, found.more) == (0, (1, 2), (), None)
    assert str(found) == "trial 0 is better than all 2 others"
    assert found.differences[1] == pytest.approx(anytime_interval(0.4 + NOISE[0] - NOISE[1], 1 - 0.05 / 3))


def test_of_a_loss_the_lowest_is_best() -> None:
    found = result([*0.9 + NOISE[0]], [*0.5 + NOISE[1]], mode="min").verdict()
    assert (
        found.best == 1 and found.worse == (0,) and found.differences[0].value == pytest.approx(0.4, abs=0.02)
    )
    assert str(found) == "trial 1 is better than the other one"


def test_what_chance_may_have_done_stays_open_with_the_number_of_seeds_that_would_tell() -> None:
    close = [0.9 + NOISE[0], 0.897 + NOISE[1], 0.2 + NOISE[2]]
    found = result(*[[*some] for some in close]).verdict()
    assert found.best == 0 and found.open == (1,) and found.worse == (2,)
    assert found.more == more_seeds(seeds_to_tell(close[0] - close[1]), 12) and found.more is not None
    assert str(found).endswith(" more seed to tell (80 %), at one look")
    assert "which is not shown to be better than that of 1; 1 other is worse" in str(found)


def test_three_seeds_show_nothing_yet() -> None:
    found = result([0.9, 0.91, 0.9], [0.5, 0.51, 0.5], objective="best").verdict()
    assert found.open == (1,) and "too good by as much as the metric varies" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["differences"]["1"][1:] == [None, None]
    assert "<td>0.4</td><td></td>" in found._repr_html_()  # an interval without an end


def test_a_verdict_is_drawn_with_its_intervals() -> None:
    found = result([*0.9 + NOISE[0]], [*0.897 + NOISE[1]], [*0.1 + NOISE[2]]).verdict()
    plot = found.plot()
    assert plot.data.names == ("trial 1", "trial 2") and plot.data.intervals[1] == found.differences[2]
    colors = [each.lines[0].get_color() for each in plot.points]
    assert colors[0] != colors[1] and repr(found).startswith("how much better trial 0 is\n")


def test_one_seed_or_one_trial_is_no_ground_for_a_verdict() -> None:
    with pytest.raises(QueryError, match="one training of each point tells nothing of chance"):
        result([0.9], [0.5]).verdict()
    with pytest.raises(QueryError, match="two finished trials or more, 1 have"):
        result([0.9, 0.8]).verdict()


def test_runs_of_the_same_seeds_are_compared_in_pairs(tmp_path: Path) -> None:
    values = {"a": [0.1, 0.5, 0.9], "b": [0.2, 0.61, 1.0]}
    for name, some in values.items():
        for seed, value in enumerate(some):
            with vizkit.Tracker(
                tmp_path / f"{name}-{seed}", hparams={"net": name, "seed": seed}, quiet=True, system=False
            ) as tracker:
                tracker.log({"eval/acc": value}, step=0)
                tracker.log({"eval/acc": value / 2}, step=1)
    runs = vizkit.load(tmp_path)
    found = runs.compare("a-*", "b-*", "eval/acc")
    assert found.paired and found.better is True and "paired by seed" in str(found)
    assert found.difference == pytest.approx(0.31 / 3)
    alone = runs.compare("a-*", "b-*", "eval/acc", paired=False)
    assert not alone.paired and alone.better is None and alone.more and " to tell (80 %)" in str(alone)
    last = runs.compare("a-*", "b-*", "eval/acc", value="last")
    assert last.difference == pytest.approx(0.31 / 6)
    part = runs.compare("a-*", [runs["b-0"], runs["b-2"]], "eval/acc", paired=True)
    assert (part.n_a, part.n_b, part.left_out) == (2, 2, 1)
    assert not runs.compare("a-*", [runs["b-0"], runs["b-2"]], "eval/acc").paired
    with pytest.raises(QueryError, match="cannot be paired"):
        runs.compare([runs["a-0"], runs["b-0"]], "b-*", "eval/acc", paired=True)
    with pytest.raises(vizkit.DataError, match="value must be 'best', 'last' or a step, got 'mean'"):
        runs.compare("a-*", "b-*", "eval/acc", value="mean")  # type: ignore[arg-type]
