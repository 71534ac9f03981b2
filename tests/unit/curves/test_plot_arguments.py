"""The arguments of plots."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit
from tests.unit.conftest import Write
from vizkit.curves.curves import curves_data
from vizkit.errors import DataError, UnknownNameError


def test_a_run_has_its_colour_in_every_choice_of_runs(write: Write, tmp_path: Path) -> None:
    for k in (10, 1, 2):
        write(f"run{k}", {"loss": [1.0]})
    runs = vizkit.load(tmp_path)
    everyone = {line.name: line.position for line in curves_data(runs, "loss").series}
    assert everyone == {"run1": 0, "run2": 1, "run10": 2}  # natural order
    for chosen in (runs[1:], [runs["run10"]], runs.filter("name == 'run2'"), runs["run1"]):
        for line in curves_data(chosen, "loss").series:
            assert line.position == everyone[line.name]


def test_runs_of_several_directories_are_told_apart(write: Write, tmp_path: Path) -> None:
    write("a/run1", {"loss": [1.0]})
    write("b/run2", {"loss": [1.0]})
    both = [*vizkit.load(tmp_path / "a"), *vizkit.load(tmp_path / "b")]
    assert [line.position for line in curves_data(both, "loss").series] == [0, 1]


def test_an_unknown_tag_names_the_closest(write: Write, tmp_path: Path) -> None:
    write("run", {"train/loss": [1.0]})
    with pytest.raises(UnknownNameError, match="train/loss"):
        curves_data(vizkit.load(tmp_path), "train/los")
    with pytest.raises(DataError, match="no run to draw"):
        curves_data(vizkit.load(tmp_path)[:0], "train/loss")
    with pytest.raises(DataError, match=r"vizkit\.load"):
        curves_data(str(tmp_path), "train/loss")  # type: ignore[arg-type]
