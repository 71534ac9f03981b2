"""The arguments of plots."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import vizkit
from tests.helpers import until
from tests.unit.conftest import Write
from vizkit.curves.curves import curves_data
from vizkit.curves.plot_arguments import RunSource
from vizkit.errors import DataError, UnknownNameError
from vizkit.server.live_runs import LiveRuns
from vizkit.server.workspace.current_runs import CurrentRuns


def colours(source: RunSource, by: str | None = None) -> dict[str, int]:
    return {line.name: line.position for line in curves_data(source, "loss", by=by).series}


def test_a_run_has_its_colour_in_every_choice_of_runs(write: Write, tmp_path: Path) -> None:
    for k in range(12):
        write(f"run{k}", {"loss": [1.0]}, {"rate": k % 5})
    runs = vizkit.load(tmp_path)
    every = colours(runs)
    assert len(set(every.values())) == 12
    for chosen in (runs[1:], [runs["run10"]], runs.filter("name == 'run2'"), runs["run1"], runs.sort("rate")):
        assert colours(chosen).items() <= every.items()
    groups = colours(runs, by="rate")
    assert len(set(groups.values())) == 5
    for condition in ("rate > 2", "rate == 1", "rate < 4"):
        assert colours(runs.filter(condition), by="rate").items() <= groups.items()


def test_no_run_changes_its_colour_when_another_one_comes(write: Write, tmp_path: Path) -> None:
    """Those of this process, of another one, and of the server are the same."""
    names = ["run5", "zz", "a", "run10", "run1", "b/c", "B", "训练", *(f"r{k}" for k in range(10))]
    (tmp_path / "log").mkdir()
    followed = vizkit.load(tmp_path / "log")
    live = LiveRuns(tmp_path / "log")
    served = CurrentRuns(live)
    before: dict[str, int] = {}
    groups: dict[str, int] = {}
    ended = 0.0
    for number, name in enumerate(names):
        until(lambda: time.time() > ended + 0.001)  # noqa: B023  it is the younger one
        write(f"log/{name}", {"loss": [1.0]}, {"rate": -number % 7})
        ended = time.time()
        followed.refresh()
        live.refresh()
        loaded = vizkit.load(tmp_path / "log")
        found = colours(loaded)
        assert before.items() <= found.items() and name in found
        assert colours(followed) == colours(served.get()) == found
        assert len(set(found.values())) == number + 1
        assert groups.items() <= colours(loaded, by="rate").items()
        before, groups = found, colours(loaded, by="rate")


def test_runs_of_several_directories_are_told_apart(write: Write, tmp_path: Path) -> None:
    for name in ("a/run1", "b/run1", "c/run1"):
        write(name, {"loss": [1.0]})
    every = [run for name in "abc" for run in vizkit.load(tmp_path / name)]
    assert len({line.position for line in curves_data(every, "loss").series}) == 3


def test_an_unknown_tag_names_the_closest(write: Write, tmp_path: Path) -> None:
    write("run", {"train/loss": [1.0]})
    with pytest.raises(UnknownNameError, match="train/loss"):
        curves_data(vizkit.load(tmp_path), "train/los")
    with pytest.raises(DataError, match="no run to draw"):
        curves_data(vizkit.load(tmp_path)[:0], "train/loss")
    with pytest.raises(DataError, match=r"vizkit\.load"):
        curves_data(str(tmp_path), "train/loss")  # type: ignore[arg-type]
