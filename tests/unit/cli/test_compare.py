"""``vizkit compare`` and ``vizkit rank``."""

from __future__ import annotations

import math
from pathlib import Path

import vizkit
from vizkit.runs.comparison import RunValue

from .commands import Command


def test_compare_tells_and_its_exit_code_too(vk: Command) -> None:
    said = vk("compare", "batch64-*", "`batch size` == 32", "eval/acc", "--json")
    assert said.code == 0 and said.data["better"] is True and said.data["n_a"] == said.data["n_b"] == 3
    assert math.isclose(said.data["difference"], 0.032)
    said = vk("compare", "batch32-*", "batch64-*", "eval/acc")
    assert said.code == 1 and "B is worse" in said.out
    assert vk("compare", "batch32-0", "batch64-0", "eval/acc").code == 1  # one run a side tells nothing


def test_a_filter_that_is_true_of_no_run_is_said_as_by_other_commands(vk: Command) -> None:
    for sides in (("seed > 9", "batch64-*"), ("batch64-*", "seed > 9")):
        said = vk("compare", *sides, "eval/acc", "--json")
        assert said.code == 1 and not said.out and "for which seed > 9" in said.err
    assert vk("compare", "batch7-*", "batch64-*", "eval/acc").code == 2  # no such name
    assert vk("compare", "sead > 9", "batch64-*", "eval/acc").code == 2


def test_the_value_that_compare_takes_is_that_of_python(vk: Command, logs: Path) -> None:
    runs = vizkit.load(logs)
    taken: list[tuple[str, RunValue]] = [("last", "last"), ("10", 10)]
    for given, value in taken:
        asked = ("compare", "batch32-*", "batch64-*", "train/loss", "--json", "--value", given)
        wanted = runs.compare("batch32-*", "batch64-*", "train/loss", value=value)
        assert vk(*asked).data == wanted.to_dict()
        wanted = runs.compare("batch32-*", "batch64-*", "train/loss", value=value, anytime=True)
        assert vk(*asked, "--anytime").data == wanted.to_dict()
    wrong = vk("compare", "batch32-*", "batch64-*", "train/loss", "--value", "first")
    assert wrong.code == 2 and "'first'" in wrong.err


def test_rank_tells_and_its_exit_code_too(vk: Command) -> None:
    said = vk("rank", "eval/acc", "--json")
    assert said.code == 0 and [one["hparams"] for one in said.data["settings"]] == [
        {"batch size": 32},
        {"batch size": 64},
    ]
    assert "batch size = 32 is the best of 2 settings" in vk("rank", "eval/acc").out
    open_ = vk("rank", "train/loss", "--last", "--by", "seed")
    assert open_.code == 1 and "3 of 3 settings may be the best" in open_.out
    race = vk("rank", "train/loss", "--target", "0.75", "--by", "batch size", "--x", "step")
    assert race.code == 1 and "2 of 2 may be the fastest" in race.out and "10 steps" in race.out
    assert vk("rank", "eval/acc", "--where", "seed == 0").code == 2  # one run of each
    assert vk("rank", "eval/acc", "--where", "seed > 9").code == 1
