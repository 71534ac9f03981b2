"""`load`: what is loaded, and what it needs."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

import vizkit
from tests.helpers import ROOT, log_of, python
from tests.unit.runs.conftest import HPARAMS
from vizkit import LogNotFoundError, Tracker


def test_a_run_a_file_and_an_empty_directory_are_loaded(logdir: Path, tmp_path: Path) -> None:
    one = vizkit.load(logdir / "lenet" / "run1")
    assert one.names == ["run1"] and one["run1"].hparams == HPARAMS["lenet/run1"]
    assert vizkit.load(log_of(logdir / "lenet" / "run1"))[0].last("eval/acc").value == 0.8
    nothing = vizkit.load(tmp_path)
    assert len(nothing) == 0 and repr(nothing) == f"no runs in {tmp_path}"
    assert nothing.table().empty and nothing.filter("x > 1").names == []
    with pytest.raises(LogNotFoundError, match=r"'nowhere' is not there .*name the directory"):
        vizkit.load("nowhere")
    with pytest.raises(FileNotFoundError):
        vizkit.load("nowhere")


def test_import_is_light_and_reading_needs_neither_paddle_nor_visualdl() -> None:
    code = f"""
import sys, vizkit
assert not any(name in sys.modules for name in ("pandas", "numpy.ma", "matplotlib", "IPython"))
runs = vizkit.load({str(ROOT / "log")!r})
runs._repr_html_(); repr(runs); runs.filter("`batch size` == 64").best("eval/acc").last("eval/acc")
assert not any(name in sys.modules for name in ("pandas", "paddle", "visualdl", "matplotlib", "IPython"))
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_runs_are_freed_with_their_last_reference(tmp_path: Path) -> None:
    with Tracker(tmp_path / "a", hparams={"lr": 0.1}, quiet=True) as tracker:
        for step in range(3):
            tracker.log({"loss": 1 / (step + 1)}, step=step)
        tracker.log_text("note", "a word")
    runs = vizkit.load(tmp_path)
    gc.disable()
    try:
        run = runs["a"]
        assert runs.best("loss", mode="min") is run
        assert (len(run.scalars("loss")), run.problems, runs.table().shape[0]) == (3, [], 1)
        gone = [weakref.ref(one) for one in (runs, run, run.logs)]
        del runs, run
        assert [one() for one in gone] == [None] * 3
    finally:
        gc.enable()
