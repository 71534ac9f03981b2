"""``vizkit diff``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
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
    monkeypatch.setenv("COLUMNS", "50")
    said = vk("diff")
    assert said.code == 0 and "batch32-0" in said.out and "batch64-2" not in said.out
    assert re.search(r"no room for \d of 6 runs; name two, or see all with --json", said.err)


@pytest.mark.usefixtures("terminal")
def test_numbers_are_never_cut_and_differ_where_they_do(
    vk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = [0.00037454011884736254, 0.0003745401188473625]
    for number, rate in enumerate(rates):
        with vizkit.Tracker(tmp_path / f"run{number}", hparams={"lr": rate}, quiet=True) as tracker:
            tracker.log({"loss": 1.0})
    for columns in (100, 40, 20):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = re.sub(r"\s", "", vk("diff", at=tmp_path).out)
        assert all(repr(rate) in shown for rate in rates) and "…" not in shown
    assert "run0" in shown and "run1" in shown


# ---- --samples ----------------------------------------------------------------------------------------


@pytest.fixture
def evaluated(tmp_path: Path) -> Path:
    """Two runs that evaluate 60 samples: b mends 9 of a's errors, and breaks one sample."""
    labels = np.arange(60) % 3
    for name, wrong in (("a", range(12)), ("b", [0, 1, 2, 50])):
        with vizkit.Tracker(tmp_path / name) as tracker:
            predictions = labels.copy()
            predictions[[*wrong]] = 3
            columns = {"id": np.arange(60), "label": labels, "prediction": predictions}
            tracker.log_table("eval/predictions", {**columns, "light": ["day", "night"] * 30}, step=4)
    return tmp_path


def test_samples_are_listed_in_a_pipe(vk: Command, evaluated: Path) -> None:
    said = vk("diff", "a", "b", "--samples", at=evaluated)
    assert said.code == 0
    assert said.rows[0] == ["change", "id", "label", "prediction_a", "prediction_b"]
    assert said.rows[1] == ["mended", "3", "0", "3", "0"] and ["broken", "50", "2", "2", "3"] in said.rows
    assert [row[0] for row in said.rows[1:]] == ["mended"] * 9 + ["broken"] + ["both_wrong"] * 3
    assert "B is better: B mends 9 and breaks 1 of 60 samples" in said.err
    by_light = vk("diff", "a", "b", "--samples", "--by", "light", "--tag", "eval", at=evaluated)
    assert by_light.rows[0] == ["light", "n", "a", "b", "mended", "broken", "p"]
    assert [row[:6] for row in by_light.rows[1:]] == [
        ["day", "30", "0.8", repr(1 - 3 / 30), "4", "1"],
        ["night", "30", "0.8", repr(29 / 30), "5", "0"],
    ]


def test_samples_as_json(vk: Command, evaluated: Path) -> None:
    said = vk("diff", "b", "a", "--samples", "--json", "--by", "light", at=evaluated)
    assert said.data["broken"] == [*range(3, 12)] and said.data["better"] is False
    assert [row["value"] for row in said.data["groups"]["light"]] == ["day", "night"]


@pytest.mark.usefixtures("terminal")
def test_samples_in_a_terminal(vk: Command, evaluated: Path) -> None:
    said = vk("diff", "a", "b", "--samples", at=evaluated)
    lines = [line.split() for line in said.out.splitlines()]
    assert lines[0][:3] == ["B", "is", "better:"]
    assert lines[1] == ["samples", "n", "A", "B", "mended", "broken", "p"]
    assert lines[2][:7] == ["all", "samples", "60", "80.0%", "93.3%", "9", "1"]
    assert lines[3][:4] == ["label", "0", "20", "80.0%"]
    assert "mended: 3, 4, 5, 6, 7, 8, 9, 10, 11" in said.out and "broken: 50" in said.out


def test_samples_that_cannot_be_compared(vk: Command, evaluated: Path) -> None:
    same = vk("diff", "a", "a", "--samples", at=evaluated)
    assert same.code == 2 and "samples are compared between two runs, and 1 are meant: a" in same.err
    assert vk("diff", "a", "b", "--tag", "eval", at=evaluated).code == 2
    assert "no column 'place'" in vk("diff", "a", "b", "--samples", "--by", "place", at=evaluated).err
    with vizkit.Tracker(evaluated / "c") as tracker:
        tracker.log_table("eval/predictions", {"id": [1], "label": [1], "prediction": [1]}, step=4)
    with vizkit.Tracker(evaluated / "d") as tracker:
        tracker.log_table("eval/predictions", {"id": [1], "label": [1], "prediction": [1]}, step=4)
    said = vk("diff", "c", "d", "--samples", at=evaluated)
    assert said.code == 1 and "right and wrong on the same samples" in said.err
