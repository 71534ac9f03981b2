"""``vizkit diff``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vizkit

from .commands import Command, record


def test_diff_shows_what_differs(vk: Command) -> None:
    said = vk("diff", "batch32-0", "batch64-0")
    assert said.code == 0
    assert said.rows == [["part", "name", "batch32-0", "batch64-0"], ["hparams", "batch size", "32", "64"]]
    assert vk("diff", "batch32-*", "--json").data["hparams"] == {
        "seed": {"batch32-0": 0, "batch32-1": 1, "batch32-2": 2}
    }
    assert vk("diff", "batch32-0").code == 2


def test_diff_of_equal_runs_is_a_negative_answer(vk: Command, tmp_path: Path) -> None:
    for name in "ab":
        record(tmp_path / name, 32, 0)
    said = vk("diff", at=tmp_path)
    assert (said.code, said.out) == (1, "") and "nothing differs" in said.err


@pytest.mark.usefixtures("terminal")
def test_runs_that_differ_have_room_before_equal_ones(
    vk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = "/data/sets/imagenet/2012/" + "train/" * 12
    for number, rate in enumerate((0.1, 0.1, 0.01)):
        hparams = {"lr": rate, "data": f"{data}{rate}"}
        with vizkit.Tracker(tmp_path / f"run{number}", hparams=hparams) as tracker:
            tracker.log({"loss": 1.0})

    def table(columns: int) -> list[list[str]]:
        monkeypatch.setenv("COLUMNS", str(columns))
        said = vk("diff", at=tmp_path)
        assert said.code == 0 and all(len(line) <= columns for line in said.out.splitlines())
        assert ("no room for 1 of 3 runs, 1 of them equal to one" in said.err) == (columns < 50)
        return [re.split("  +", line.strip()) for line in said.out.splitlines()]

    header, lr, path = table(100)
    assert header == ["part", "name", "run0", "run1", "run2"] and lr[2:] == ["0.1", "0.1", "0.01"]
    assert path[2] == path[3] != path[4] and path[4].endswith("0.01") and "…" in path[4]
    assert [row[2:] for row in table(40)][:2] == [["run0", "run2"], ["0.1", "0.01"]]


@pytest.mark.usefixtures("terminal")
def test_diff_says_for_how_many_runs_there_is_no_room(vk: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    said = vk("diff")
    assert said.code == 0 and "batch32-0" in said.out and "batch64-2" not in said.out
    assert re.search(r"no room for \d of 6 runs; name two, or see all with --json", said.err)
