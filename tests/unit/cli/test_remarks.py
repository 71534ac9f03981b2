"""``vizkit tag``, ``vizkit note``, ``vizkit archive``, ``vizkit view``, and what ``vizkit ls`` leaves out."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import vizkit

from .commands import Command, record


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for seed in range(2):
        record(tmp_path / f"run{seed}", 32, seed)
    return tmp_path


def test_runs_are_labelled(vk: Command, log: Path) -> None:
    assert vk("tag", "run0", "good", "two words", at=log) == (0, "good\ntwo words\n", "")
    assert vk("tag", "run0", "--remove", "good", "--remove", "never", at=log).out == "two words\n"
    assert vk("tag", "run0", at=log).out == "two words\n"
    assert [one["labels"] for one in vk("ls", "--json", at=log).data] == [["two words"], []]
    assert [one["name"] for one in vk("ls", "--json", "-w", '"two words" in labels', at=log).data] == ["run0"]
    assert "two words" in vk("show", "run0", at=log).out
    said = vk("tag", "run0", "a\x1bb", at=log)
    assert said.code == 2 and "a label is a line" in said.err and "\x1b" not in said.err


def test_notes_are_written_and_printed(vk: Command, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vk("note", "run1", at=log) == (0, "", "")
    vk("note", "run1", "diverged:\n**too high**", at=log)
    assert vk("note", "run1", at=log).out == "diverged:\n**too high**\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe\n"))
    vk("note", "run1", "-", at=log)
    assert vizkit.load(log)["run1"].note == "from a pipe\n"
    vk("note", "run1", "", at=log)
    assert vk("note", "run1", at=log).out == ""


def test_archived_runs_are_left_out_and_it_is_said(vk: Command, log: Path) -> None:
    assert vk("archive", "run1", at=log).err == "vizkit: 1 run archived\n"
    said = vk("ls", "--json", at=log)
    assert [one["name"] for one in said.data] == ["run0"] and "1 archived run left out" in said.err
    shown = vk("ls", "--json", "--archived", at=log)
    assert len(shown.data) == 2 and shown.err == ""
    assert vk("archive", "--where", "archived", "--undo", at=log).err == "vizkit: 1 run taken back\n"
    assert len(vk("ls", "--json", at=log).data) == 2
    assert vk("archive", at=log).code == 2


def test_views_are_saved_printed_and_deleted(vk: Command, log: Path) -> None:
    assert vk("view", at=log) == (0, "", "")
    assert vk("view", "losses", "http://localhost:8040/vizkit/?tags=loss&token=secret", at=log) == (0, "", "")
    vk("view", "all", "tab=table", at=log)
    assert vk("view", at=log).out == "all\ttab=table\nlosses\ttags=loss\n"
    assert vk("view", "--json", at=log).data == {"losses": "tags=loss", "all": "tab=table"}
    assert vk("view", "losses", at=log).out == "tags=loss\n"
    assert dict(vizkit.load(log).views) == {"losses": "tags=loss", "all": "tab=table"}
    assert vk("view", "losses", "", at=log) == (0, "", "")
    said = vk("view", "losses", at=log)
    assert said.code == 2 and "'losses'" in said.err and "'all'" in said.err
    assert vk("view", at=log / "nowhere").code == 2


def test_a_filter_that_fits_no_run_is_said_and_an_empty_one_chooses_not_all(vk: Command, log: Path) -> None:
    for more in (["--where", "seed == 9"], ["run0", "--where", "seed == 1"], ["--undo", "-w", "seed == 9"]):
        said = vk("archive", *more, at=log)
        assert said.code == 1 and f"no runs in {log} for which seed == " in said.err
    for command in (["archive"], ["ls"], ["export"], ["best", "eval/acc"]):
        said = vk(*command, "--where", "", at=log)
        assert (said.code, said.out) == (2, "") and "'' is no expression" in said.err
    assert not any(run.archived for run in vizkit.load(log))
    assert vk("archive", "run*", "--where", "seed == 1", at=log).err == "vizkit: 1 run archived\n"
