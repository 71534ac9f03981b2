"""``vizkit show``: all that is known of a run."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path

import pytest

import vizkit

from .commands import Command, record


def test_show_tells_all_of_a_run(vk: Command, logs: Path) -> None:
    about = vk("show", "batch64-1", "--json").data
    assert about["status"] == "finished" and about["hparams"] == {"batch size": 64, "seed": 1}
    assert about["tags"]["text"] == ["note"] and about["problems"] == []
    assert about["metrics"]["eval/acc"]["best_step"] == 29
    assert about["environment"]["python"]
    rows = dict(row[:2] for row in vk("show", "batch64-1").rows)
    assert rows["hparams/batch size"] == "64"


def test_the_newest_run_is_meant_where_none_is_named(vk: Command, tmp_path: Path) -> None:
    for name in ("b", "a"):
        record(tmp_path / name, 32, 0)
        time.sleep(0.002)
    assert vk("show", "--json", at=tmp_path).data["name"] == "a"
    record(tmp_path / "b", 32, 0, if_exists="resume")
    assert vk("show", "--json", at=tmp_path).data["name"] == "b"


@pytest.mark.usefixtures("terminal")
def test_show_in_a_terminal_has_display_name_and_metrics_without_a_best(vk: Command, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run", display_name="shown") as writer:
        for step in range(4):
            writer.add_scalar("height", math.nan if step == 1 else step, step)
    said = vk("show", at=tmp_path)
    assert re.search(r"display name +shown", said.out)
    (row,) = [line for line in said.out.splitlines() if line.startswith("height")]
    assert row.split()[2:] == ["3", "3", "4", "(1", "NaN)"]  # no best: the name tells no direction


@pytest.mark.usefixtures("terminal")
def test_show_begins_with_what_a_run_failed_of(vk: Command, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), vizkit.Tracker(tmp_path / "run"):
        raise RuntimeError("out of memory")
    lines = vk("show", at=tmp_path).out.splitlines()
    assert lines[1].split() == ["status", "failed"]
    assert re.fullmatch(r"failed with +RuntimeError: out of memory *", lines[2])


@pytest.mark.parametrize("command", ["show", "tail"])
def test_a_run_may_be_named_by_its_path(
    vk: Command, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path / "elsewhere" / "one", 32, 0)
    record(tmp_path / "many" / "a", 64, 0)
    record(tmp_path / "many" / "b", 64, 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    log = next((tmp_path / "elsewhere/one").glob("*vdlrecords*"))
    for path in ("elsewhere/one", "elsewhere/one/", str(tmp_path / "elsewhere/one"), "~/many/a", str(log)):
        for directory in ("log", "many"):  # the first, the default, is not there
            assert vk(command, path, "--json", "--logdir", directory).data
    several = vk(command, "many", "--logdir", "elsewhere")
    assert several.code
    assert "there are 2 runs in 'many'" in several.err
    assert "'nowhere'" in vk(command, "nowhere", "--logdir", "many").err


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("columns", [20, 40, 60])
def test_nothing_is_cut_in_a_narrow_terminal(
    vk: Command, tmp_path: Path, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/data/of/somebody/imagenet/train-list-of-2026.txt"
    hparams = {"path of the data": path, "lr": 0.00012345678901, "a name of many letters_and_more": 1}
    with vizkit.Tracker(tmp_path / "run", hparams=hparams, quiet=True) as tracker:
        for step in (1234566, 1234567):
            tracker.log({"train/a rather long name of a loss": 0.98765, "eval/acc": 0.4321}, step=step)
    monkeypatch.setenv("COLUMNS", str(columns))
    for command in (["show"], ["best", "eval/acc"]):
        said = vk(*command, at=tmp_path)
        _, *lines = said.out.splitlines()
        assert said.code == 0 and "…" not in said.out and all(len(line) <= columns for line in lines)
        shown = re.sub(r"\s", "", said.out)
        assert "1234567" in shown and "0.4321" in shown
        folded = "".join(re.sub("^.*  ", "", line.rstrip()) for line in lines)
        assert path in folded and "0.00012345678901" in folded, folded
