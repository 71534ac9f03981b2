"""The time to a target: data and drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.unit.conftest import Write
from vizkit import Runs, plots
from vizkit.errors import DataError


def test_bars_say_what_they_stand_for(runs: Runs) -> None:
    race = plots.time_to(runs, "acc", 0.96)
    assert race.texts[0].get_text() == f"{race.data.contenders[0].first:.3g} s  (step 22)"
    assert race.texts[-1].get_text() == "not reached, best 0.9475"
    assert race.bars[0].get_width() == race.data.contenders[0].first
    share = plots.importance(runs, "acc")
    assert [text.get_text() for text in share.ax.get_yticklabels()] == [
        item.name for item in share.data.hparams
    ]


def test_who_gets_there_first(nine: Runs) -> None:
    data = plots.time_to(nine, "eval/acc", 0.75).data
    first = [contender.name for contender in data.contenders[:6]]
    assert first == ["run7", "run4", "run8", "run5", "run9", "run6"]  # of equal times the better one
    assert data.contenders[0].first == pytest.approx(0.64) and data.contenders[0].steps[0] == 2
    assert not any(contender.reached[0] for contender in data.contenders[6:])
    sizes = plots.time_to(nine, "eval/acc", 0.75, by="batch size").data.contenders
    assert [each.name for each in sizes] == [
        "batch size = 32",
        "batch size = 64",
        "batch size = 128",
    ]
    assert sizes[0].reached.sum() == 2 and sizes[0].median.value == pytest.approx(0.64)
    assert plots.time_to(nine, "eval/loss", 0.25).data.mode == "min"
    few = plots.time_to(nine, "eval/acc", 0.85, by="batch size").data.contenders[0]  # one of three runs
    assert few.reached.sum() == 1 and np.isinf(few.median.value)
    alone = plots.time_to(nine, "eval/acc", 0.85, by="optimizer").data.contenders
    assert [np.isinf(contender.median.value) for contender in alone] == [False, True, True]
    with pytest.raises(DataError, match="target"):
        plots.time_to(nine, "eval/acc", float("nan"))


def test_runs_of_one_name_race_each_for_itself(write: Write, tmp_path: Path) -> None:
    write("a/run1", {"acc": [0.5, 0.9]})
    write("b/run1", {"acc": [0.5, 0.6, 0.9]})
    both = [*vizkit.load(tmp_path / "a"), *vizkit.load(tmp_path / "b")]
    contenders = plots.time_to(both, "acc", 0.9).data.contenders
    assert [(each.steps.tolist(), each.positions) for each in contenders] == [
        ([1], (0,)),
        ([2], (1,)),
    ]


def test_runs_with_nothing_but_nan_come_last(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [float("nan")]})
    write("b", {"acc": [0.5]})
    plot = plots.time_to(vizkit.load(tmp_path), "acc", 0.9)
    assert [text.get_text() for text in plot.texts] == ["not reached, best 0.5", "not reached"]


def test_an_axis_without_any_time_has_those_of_the_runs(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.1, 0.2, 0.99999]})
    plot = plots.time_to(vizkit.load(tmp_path), "acc", 1.0)
    assert plot.ax.get_xlim() == (0.0, 2.0)
    assert [text.get_text() for text in plot.texts] == ["not reached, best 0.99999"]  # which is not 1
    assert plots.time_to(vizkit.load(tmp_path), "acc", 0.99999999).data.goal == "acc ≥ 0.99999999"


def test_long_words_beside_the_bars_have_room(write: Write, tmp_path: Path) -> None:
    for number in range(9):
        write(f"run{number}", {"acc": [0.1, 0.2 + 0.1 * (number < 3)]}, {"size": 1})
    plot = plots.time_to(vizkit.load(tmp_path), "acc", 0.3, by="size")
    plot.figure.canvas.draw()
    assert plot.texts[0].get_text().startswith("reached by 3 of 9 runs, first after")
    assert plot.texts[0].get_window_extent().x1 <= plot.figure.bbox.x1


def test_a_group_of_which_some_reached_the_target_says_so(write: Write, tmp_path: Path) -> None:
    for name, size, best in (("a", 1, 0.948), ("b", 1, 0.5), ("c", 1, 0.6), ("d", 2, 0.7), ("e", 2, 0.9)):
        write(name, {"acc": [0.1, best]}, {"size": size})
    for name, best in (("f", 0.2), ("g", 0.3)):
        write(name, {"acc": [0.1, best]}, {"size": 3})
    plot = plots.time_to(vizkit.load(tmp_path), "acc", 0.8, by="size")
    assert [contender.name for contender in plot.data.contenders] == ["size = 2", "size = 1", "size = 3"]
    assert [int(contender.reached.sum()) for contender in plot.data.contenders] == [1, 1, 0]
    texts = [text.get_text() for text in plot.texts]
    assert texts[0] == "1 s  (1 of 2 runs)"  # half of them
    assert texts[1].startswith("reached by 1 of 3 runs, first after ")
    assert texts[2] == "not reached by any of 2 runs, best 0.3"
