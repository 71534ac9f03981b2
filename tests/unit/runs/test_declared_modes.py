"""Whether a metric is better high or low, where its name does not tell: declared, or said not to be known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vizkit
from tests.helpers import stock
from vizkit import DataError, Tracker
from vizkit.errors import VizKitWarning
from vizkit.runs.details import row
from vizkit.runs.display import runs_table
from vizkit.server.visualdl.api.hparam_page import _value


@pytest.fixture
def runs(tmp_path: Path) -> vizkit.Runs:
    """Two runs, of which one declares the directions."""
    for name, metrics in {"a": {"reward": "max", "cost": "min"}, "b": ["reward", "cost"]}.items():
        with Tracker(tmp_path / name, hparams={"lr": len(name)}, metrics=metrics) as tracker:  # type: ignore[arg-type]
            for step, value in enumerate([1.0, 3.0, 2.0]):
                tracker.log({"reward": value + (name == "b"), "cost": -value, "odd": value}, step)
    return vizkit.load(tmp_path)


def test_a_declared_direction_counts_in_every_view(runs: vizkit.Runs) -> None:
    run = runs["a"]
    assert run.metrics == ["reward", "cost"]
    assert (run.best("reward").value, run.best("cost").value) == (3.0, -3.0)
    assert row(run)["metrics"]["reward"]["best"] == 3.0
    assert run.logs.last("reward")[2] == 2.0 and _value(run.logs, "reward", best=True) == 3.0
    assert runs.best("reward").name == "b" and runs.best("cost").name == "a"
    assert runs.table(["reward"])["reward.best"]["a"] == 3.0
    assert "max 3" in str(runs[:1])
    assert runs.compare("a", "b", "reward").mode == "max"
    assert runs[:1].filter("reward.best == 3").names == ["a"]


def test_a_filter_takes_the_direction_that_other_runs_declare(runs: vizkit.Runs) -> None:
    assert runs.filter("reward.best > 3").names == ["b"]
    assert runs.filter("cost.best_step == 1").names == ["a", "b"]
    with pytest.raises(DataError, match="whether 'reward' is better high or low is not known"):
        runs[1:].filter("reward.best > 3")


def declaring(directory: Path, tag: str, **modes: str) -> vizkit.Runs:
    for name, mode in modes.items():
        with Tracker(directory / name, metrics={tag: mode} if mode else [tag]) as tracker:
            for step, value in enumerate([1.0, 3.0, 2.0]):
                tracker.log({tag: value}, step)
    return vizkit.load(directory)


def test_where_declarations_differ_a_run_without_one_is_left_out_with_a_warning(tmp_path: Path) -> None:
    runs = declaring(tmp_path, "reward", a="max", b="min", c="", d="")
    with pytest.warns(VizKitWarning, match="is not known in 2 of 4 runs") as warned:
        assert runs.filter("reward.best == 3 or reward.best_step == 0").names == ["a", "b"]
        assert len({str(one.message) for one in warned}) == 1
    with pytest.warns(VizKitWarning):
        assert runs.filter("reward.best is None").names == ["c", "d"]


def test_where_declarations_differ_the_name_tells(tmp_path: Path) -> None:
    runs = declaring(tmp_path, "eval/acc", a="max", b="min", c="")
    assert runs.filter("`eval/acc`.best == 3").names == ["a", "c"]


def test_a_given_mode_counts_more(runs: vizkit.Runs) -> None:
    assert runs["a"].best("reward", "min").value == 1.0 and runs.best("reward", "min").name == "a"


def test_what_nobody_told_is_said(runs: vizkit.Runs) -> None:
    with pytest.raises(DataError, match="whether 'odd' is better high or low is not known"):
        runs.best("odd")
    assert not any("not known" in note for note in runs_table(runs).notes)
    note = 'not known of reward, cost; declare it: metrics={"reward": "max"}'
    assert any(note in line for line in runs_table(runs[1:]).notes)
    assert any("not known of odd;" in line for line in runs_table(runs, metrics=["odd"]).notes)
    assert row(runs["b"])["metrics"]["reward"]["best"] is None


def test_declarations_add_up_and_values_are_recorded_beside_them(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        tracker.log_hparams({}, {"a": "max", "b": 0.5, "c": None})  # type: ignore[dict-item]
        tracker.log_hparams({"lr": 1}, {"a": "min", "d": "max"})
        tracker.log({"a": 1.0})
    (run,) = vizkit.load(tmp_path)
    assert run.logs.hparams.modes == {"a": "min", "d": "max"}
    assert run.metrics == ["a", "b", "c", "d"] and run.scalar_tags == ["b", "a"]
    assert len(stock(tmp_path, "hparams", "hparam")) == 2


@pytest.mark.parametrize("value", ["up", "", "MAX", [1, 2]])
def test_other_directions_are_refused(tmp_path: Path, value: Any) -> None:
    with Tracker(tmp_path, strict=True) as tracker, pytest.raises(DataError):
        tracker.log_hparams({}, {"a": value})


def test_the_end_names_the_declared_metric(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Tracker(tmp_path, metrics={"reward": "max"}) as tracker:
        for step, value in enumerate([1.0, 3.0, 2.0]):
            tracker.log({"eval/acc": 0.5, "reward": value}, step)
    assert capsys.readouterr().err.endswith("best reward 3 at step 1\n")
