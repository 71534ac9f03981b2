"""The time to a target, in every unit and in words; and where curves cross."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import vizkit
from tests.unit.conftest import START, Write
from vizkit import DataError, QueryError, Runs, UnknownNameError
from vizkit._language import speaking
from vizkit.curves.curves import curves_data
from vizkit.curves.group_windows import group_window
from vizkit.curves.smoothing import smoothing
from vizkit.curves.traces import trace_of

stats = pytest.importorskip("scipy.stats")


@pytest.fixture
def sizes(write: Write, tmp_path: Path) -> Runs:
    """Batch size 32 is fast in steps and slow in time; one of its runs never gets there."""
    for seed in range(5):
        for size, milliseconds, rise in ((32, 4000, 0.2), (64, 1000, 0.1)):
            top = 0.4 if (size, seed) == (32, 4) else 1.0
            values = np.minimum(rise * np.arange(1, 11) + 0.01 * seed, top)
            hparams = {"size": size, "seed": seed}
            write(f"{size}-{seed}", {"acc": values, "train/epoch": np.arange(10) // 2}, hparams, milliseconds)
    return vizkit.load(tmp_path)


def test_which_batch_size_is_the_fastest_depends_on_the_unit(sizes: Runs) -> None:
    time = sizes.time_to("acc", 0.75, by="size")
    fast, slow = time.contenders
    assert fast.name == "size = 64" and fast.median.value == pytest.approx(7.0)
    assert slow.median.value == pytest.approx(12.0) and int(slow.reached.sum()) == 4
    assert [one.name for one in time.fastest] == ["size = 64"]
    assert time.sentence == "acc ≥ 0.75: size = 64 is the fastest of 2, half of its runs are there after 7 s"
    steps = sizes.time_to("acc", 0.75, by="size", x="step")
    assert steps.contenders[0].name == "size = 32" and steps.contenders[0].median.value == 3.0
    assert steps.sentence == (
        "acc ≥ 0.75: 2 of 2 may be the fastest, by the time that half of the runs take: size = 32 (3 steps); "
        "size = 64 (7 steps)"
    )
    epochs = sizes.time_to("acc", 0.75, by="size", x="epoch")
    assert [one.median.value for one in epochs.contenders] == [2.0, 4.0]
    assert sizes.time_to("acc", 0.75, by="size", x="relative").contenders[0].median.value == pytest.approx(
        7.0
    )


def test_the_test_of_two_is_the_log_rank_test(sizes: Runs) -> None:
    found = sizes.time_to("acc", 0.75, by="size")
    test = found.test("size = 32", "size = 64")
    sides = [
        stats.CensoredData(uncensored=one.times[one.reached], right=one.times[~one.reached])
        for one in sorted(found.contenders, key=lambda one: one.name)
    ]
    assert test.statistic == pytest.approx(-stats.logrank(*sides).statistic) and test.p < 0.05
    with pytest.raises(UnknownNameError, match="size = 1"):
        found.test("size = 1", "size = 64")


def test_the_fastest_of_those_that_hardly_ever_get_there_is_named_so(write: Write, tmp_path: Path) -> None:
    for seed in range(5):
        write(f"a{seed}", {"acc": np.array([0.1, 0.2, 0.9 if seed < 2 else 0.3])}, {"opt": "a"})
    for seed in range(30):
        write(f"b{seed}", {"acc": np.full(20, 0.1)}, {"opt": "b"})
    found = vizkit.load(tmp_path).time_to("acc", 0.8, by="opt")
    told = "acc ≥ 0.8: opt = a is the fastest of 2, though fewer than half of its runs get there"
    assert found.sentence == told
    with speaking("zh"):
        assert "opt = a，但达到的运行不到半数" in found.sentence


@pytest.fixture
def epochs(tmp_path: Path) -> Runs:
    """Three epochs whose batches are counted from 0 in each; a value a second."""
    for name, values in {"rises": np.linspace(0.1, 0.9, 15), "falls": np.linspace(0.8, 0.4, 15)}.items():
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_hparams({"size": 32}, ["acc"])
            for second, value in enumerate(values):
                writer.add_scalar("acc", value, second % 5, walltime=START + 1000 * second)
    return vizkit.load(tmp_path)


@pytest.mark.parametrize("x", ["time", "relative"])
def test_where_steps_start_over_times_are_those_of_the_clock(
    epochs: Runs, x: Literal["time", "relative"]
) -> None:
    rises = np.linspace(0.1, 0.9, 15)
    (there,) = epochs.filter("name == 'rises'").time_to("acc", 0.55, x=x).contenders
    second = int(np.argmax(rises >= 0.55))
    assert there.times.tolist() == [second] and there.steps.tolist() == [second % 5]
    crossing = epochs.crossing("rises", "falls", "acc", x=x)
    (at,) = crossing.crossings
    assert at == pytest.approx(14 * 0.7 / 1.2)


def test_means_of_runs_whose_steps_start_over_are_taken_by_time(epochs: Runs) -> None:
    wanted = (np.linspace(0.1, 0.9, 15) + np.linspace(0.8, 0.4, 15)) / 2
    (drawn,) = curves_data(epochs, "acc", x="time", by="size").series
    np.testing.assert_array_equal(drawn.x, np.arange(15.0))
    np.testing.assert_allclose(drawn.y, wanted)
    traces = [trace_of(run, "acc", "time") for run in epochs]
    window = group_window(
        traces, 0.0, 14.0, 100, center="mean", band=None, bounds=(0.0, 1.0), how=smoothing(0)
    )
    np.testing.assert_allclose(window.drawn[1], wanted)
    table = epochs.group_by(lambda run: 0).scalars("acc", on="time")
    np.testing.assert_allclose(table["mean"], np.interp(table["seconds"], np.arange(15.0), wanted))


def test_few_runs_do_not_tell_the_fastest(sizes: Runs) -> None:
    found = sizes.filter("seed < 3").time_to("acc", 0.75, by="size")
    assert len(found.fastest) == 2
    assert found.sentence.startswith(
        "acc ≥ 0.75: 2 of 2 may be the fastest, by the time that half of the runs take: "
    )


def test_the_times_in_words(sizes: Runs) -> None:
    found = sizes.time_to("acc", 0.75, by="size")
    assert str(found).startswith("time to acc ≥ 0.75\n") and "<table>" in found._repr_html_()
    told = json.loads(json.dumps(found.to_dict()))
    assert (
        told["contenders"][1]["reached"] == [True] * 4 + [False]
        and told["contenders"][1]["median"][0] == 12.0
    )
    alone = sizes["64-*"].time_to("acc", 0.75)
    assert alone.sentence.endswith(" is there first, after 7 s") and alone.contenders[-1].first == 7.0
    assert sizes.time_to("acc", 2.0).sentence == "acc ≥ 2: never reached in 10 runs"
    assert math.isinf(sizes.time_to("acc", 2.0).contenders[0].median.value)
    with speaking("zh"):
        assert "最快的是 size = 64" in found.sentence
    with pytest.raises(DataError, match="x must be"):
        sizes.time_to("acc", 0.75, x="walltime")  # type: ignore[arg-type]


def test_curves_cross_where_their_means_are_equal(write: Write, tmp_path: Path) -> None:
    for seed in range(3):
        noise = 0.01 * seed
        write(f"a-{seed}", {"acc": [0.5 + noise] * 11}, {"seed": seed})
        write(f"b-{2 - seed}", {"acc": 0.1 + 0.1 * np.arange(11) + noise + 0.001 * seed}, {"seed": seed})
    runs = vizkit.load(tmp_path)
    found = runs.crossing("a-*", "b-*", "acc", x="step")
    assert found.crossings == pytest.approx((3.99,)) and found.told_from == 5.0  # 0.401 of 0.1 a step
    assert found.difference == pytest.approx(-0.4 + 0.1 * np.arange(11) + 0.001)
    expected = stats.t.ppf(0.975, 2) * 0.001 / math.sqrt(3)
    assert found.high - found.difference == pytest.approx(
        np.full(11, expected)
    )  # of pairs: the noise is gone
    assert found.sentence == (
        "acc: the curves cross once, and B is better from step 3.99 on; "
        "more than chance may do (95 % at each place) from step 5 on"
    )
    time = runs.crossing("a-*", "b-*", "acc")
    assert time.crossings == pytest.approx((3.99,), abs=0.01)
    turned = runs.crossing("b-*", "a-*", "acc", x="step", mode="min")
    assert turned.crossings == pytest.approx((3.99,)) and "A is better" not in turned.sentence
    assert "crossing" in str(found) and json.loads(json.dumps(found.to_dict()))["told_from"] == 5.0
    assert found.plot().marks.get_xdata() == pytest.approx([3.99])


def test_runs_of_other_seeds_are_not_paired_and_one_has_no_interval(write: Write, tmp_path: Path) -> None:
    for seed in range(3):
        write(f"a-{seed}", {"acc": [0.1, 0.5 + 0.1 * seed]}, {"seed": seed})
        write(f"b-{seed}", {"acc": [0.2, 0.4 + 0.1 * seed]}, {"seed": 10 + seed})
    runs = vizkit.load(tmp_path)
    found = runs.crossing("a-*", "b-*", "acc", x="step")
    sides = [np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.5, 0.6])]
    expected = stats.ttest_ind(sides[1], sides[0], equal_var=False).confidence_interval(0.95)
    assert (found.low[-1], found.high[-1]) == pytest.approx((expected.low, expected.high))
    assert found.told_from is None and "chance" in found.sentence
    one = runs.crossing("a-0", "b-0", "acc", x="step")
    assert np.isnan(one.low).all() and one.crossings == pytest.approx((0.5,))
    never = runs.crossing("a-0", "a-1", "acc", x="step")
    assert never.crossings == () and never.sentence.startswith(
        "acc: B is better from the beginning to the end"
    )
    with vizkit.LogWriter(str(tmp_path / "late")) as writer:
        for step in (5, 6):
            writer.add_scalar("acc", 0.3, step, START)
    with pytest.raises(QueryError, match="no stretch of x in common"):
        vizkit.load(tmp_path).crossing("a-0", "late", "acc", x="step")
