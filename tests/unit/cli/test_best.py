"""``vizkit best``."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit

from .commands import Command


def test_best_names_the_run(vk: Command) -> None:
    said = vk("best", "eval/acc", "--where", "`batch size` == 64")
    assert said.rows[0] == ["run", "eval/acc", "step", "batch size", "seed"]
    assert said.rows[1][0] == "batch64-0" and said.rows[1][2:] == ["29", "64", "0"]
    found = vk("best", "eval/acc", "--mode", "min", "--json").data
    assert (found["run"], found["mode"], found["step"]) == ("batch64-2", "min", 29)


@pytest.mark.usefixtures("terminal")
def test_best_of_runs_without_hyper_parameters_in_a_terminal(vk: Command, tmp_path: Path) -> None:
    for name, acc in (("a", 0.5), ("b", 0.75)):
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_scalar("acc", acc, 3)
    assert vk("best", "acc", at=tmp_path).out == "b: acc 0.75 at step 3\n"


def test_best_and_rank_take_a_directory_as_ls_does(vk: Command, tmp_path: Path) -> None:
    for name, acc in (("other/a", 0.5), ("other/b", 0.75), ("c", 1.0)):
        with vizkit.Tracker(tmp_path / name, hparams={"lr": acc}, quiet=True) as tracker:
            tracker.log({"acc": acc}, step=3)
    said = vk("best", "acc", str(tmp_path / "other"), at=tmp_path)
    assert said.rows[1] == ["b", "0.75", "3", "0.75"]
    assert vk("ls", str(tmp_path / "other"), at=tmp_path).rows[1][0] == "a"
    ranked = vk("rank", "acc", str(tmp_path / "other"), at=tmp_path)
    assert "there are 2 settings of 2 runs" in ranked.err


def test_a_filter_that_no_run_matches_is_said_to_match_none(vk: Command, tmp_path: Path) -> None:
    said = vk("best", "eval/acc", "--where", "seed == 99")
    assert (said.code, said.out) == (1, "") and "no runs in" in said.err and "seed == 99" in said.err
    assert vk("best", "eval/acc", "--where", "seed == 99", "--json").code == 1
    assert vk("best", "eval/acc", "--where", "sead == 1").code == 2
    said = vk("best", "eval/acc", at=tmp_path)
    assert said.code == 1 and "no runs" in said.err
