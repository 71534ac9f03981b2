"""Comparisons of two sets of runs; intervals equal SciPy's."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import vizkit
from vizkit import DataError, QueryError, Runs, UnknownNameError, load
from vizkit.runs.comparison import RunValue
from vizkit.runs.sequential import anytime_interval

stats = pytest.importorskip("scipy.stats")


def write(directory: Path, hparams: dict[str, float], values: list[float]) -> None:
    """A run with a value each ten steps."""
    with vizkit.Tracker(
        directory, hparams=hparams, metrics=["eval/acc"], system=False, quiet=True
    ) as tracker:
        for index, value in enumerate(values):
            tracker.log({"eval/acc": value}, step=10 * index)


def test_compare(seeds: Runs) -> None:
    found = seeds.compare("optimizer == 'SGD'", "adam-*", "acc", paired=False)
    values = [0.68, 0.7, 0.73], [0.83, 0.85, 0.88]
    expected = stats.ttest_ind(values[1], values[0], equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (
        found.difference == pytest.approx(0.15) and (found.n_a, found.n_b) == (3, 3) and found.better is True
    )
    assert seeds.compare("adam-*", "sgd-*", "acc").better is False
    assert seeds.compare("adam-*", "sgd-*", "acc", mode="min").better is True
    assert "95 % interval" in str(found) and "B is better" in str(found)
    assert seeds.compare(seeds["sgd-*"], seeds["sgd-*"], "acc").better is None


def test_one_run_a_side_has_no_interval(seeds: Runs) -> None:
    found = seeds.compare("sgd-0", seeds["adam-0"], "acc")
    assert found.better is None and math.isnan(found.low) and found.n_a == 1
    assert "no interval can be given" in str(found)
    told = json.loads(json.dumps(found.to_dict()))
    assert told["low"] is None and told["better"] is None and told["n_a"] == 1


def test_a_comparison_is_a_table_and_a_picture_too(seeds: Runs) -> None:
    found = seeds.compare("sgd-*", "adam-*", "acc")
    assert f"<p>{found.sentence}</p>" in found._repr_html_() and "<td>0.703333</td>" in found._repr_html_()
    assert found.plot().data.intervals == ((found.difference, found.low, found.high),)


def test_what_cannot_be_compared(seeds: Runs) -> None:
    with pytest.raises(UnknownNameError, match="'sgd-9'"):
        seeds.compare("sgd-9", "adam-0", "acc")
    with pytest.raises(QueryError, match="none of the 0 runs of B"):
        seeds.compare("sgd-0", "seed > 9", "acc")
    with pytest.raises(UnknownNameError, match="'loss'"):
        seeds.compare("sgd-0", "sgd-1", "loss")


def test_an_interval_for_every_look_is_one_of_pairs(tmp_path: Path) -> None:
    for seed, gain in enumerate((1.0, 1.2, 0.8, 1.1, 0.9, 1.0)):
        for side, value in (("a", seed), ("b", seed + gain)):
            write(tmp_path / f"{side}{seed}", {"seed": seed}, [value])
    runs = load(tmp_path)
    found = runs.compare("a*", "b*", "eval/acc", anytime=True)
    assert (found.difference, found.low, found.high) == pytest.approx(
        anytime_interval([1.0, 1.2, 0.8, 1.1, 0.9, 1.0])
    )
    assert found.better is True and "right however often one looks" in str(found)
    assert found.low < runs.compare("a*", "b*", "eval/acc").low
    few = runs.compare(
        [runs[f"a{n}"] for n in range(3)], [runs[f"b{n}"] for n in range(3)], "eval/acc", anytime=True
    )
    assert few.better is None and "an interval for every look needs about five pairs" in str(few)
    assert json.loads(json.dumps(few.to_dict(), allow_nan=False))["low"] is None
    with pytest.raises(QueryError, match="the same seeds on both sides"):
        runs.compare("a*", runs["b0"], "eval/acc", anytime=True)


def test_trainings_of_different_lengths_are_compared_after_as_many_steps(tmp_path: Path) -> None:
    for seed in (0, 1):
        write(tmp_path / f"long{seed}", {"seed": seed, "epochs": 4}, [0.5, 0.6 + seed / 10, math.nan, 0.9])
        write(tmp_path / f"short{seed}", {"seed": seed, "epochs": 2}, [0.7, 0.65])
    runs = load(tmp_path)
    expected: dict[RunValue, tuple[float, float]] = {
        0: (0.7, 0.5),
        10: (0.65, 0.65),
        19: (0.65, 0.65),
        "last": (0.65, 0.9),
        "best": (0.7, 0.9),
    }
    for value, means in expected.items():
        found = runs.compare("short*", "long*", "eval/acc", value=value)
        assert (found.mean_a, found.mean_b) == pytest.approx(means), value
    assert [setting.mean for setting in runs.rank("eval/acc", by="epochs", value=0).settings] == [
        pytest.approx(0.7),
        pytest.approx(0.5),
    ]
    with pytest.raises(QueryError, match="none of the 2 runs of B has a finite"):
        runs.compare("short*", "long*", "eval/acc", value=20)  # NaN there, whatever was before
    for wrong in ("first", 1.5, True, None):
        with pytest.raises(DataError, match="value must be 'best', 'last' or a step"):
            runs.compare("short*", "long*", "eval/acc", value=wrong)  # type: ignore[arg-type]


def test_pairs_without_two_finite_values_are_named(tmp_path: Path) -> None:
    for name, seed, value in (("a0", 0, 1.0), ("a1", 1, math.nan), ("b0", 0, math.nan), ("b1", 1, 2.0)):
        write(tmp_path / name, {"seed": seed}, [value])
    with pytest.raises(QueryError, match="no two runs of the same seed have a finite 'eval/acc' both"):
        load(tmp_path).compare("a*", "b*", "eval/acc")
