"""Ranks of settings: by SciPy's tests, in simulations, and in words."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vizkit
from tests.unit.conftest import Write
from vizkit import QueryError, Runs, UnknownNameError
from vizkit._language import speaking
from vizkit.metrics.arrays import Floats
from vizkit.runs.setting_ranks import Ranks, ranks_of

stats = pytest.importorskip("scipy.stats")

SIDES = st.lists(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6).filter(lambda some: np.std(some) > 1e-3),
    min_size=2,
    max_size=6,
)


def expected(sides: list[Floats], test: Callable[[Floats, Floats], float]) -> Ranks:
    """The ranks by their definition, with a test of SciPy for each pair."""
    k = len(sides)
    better = [(i, j) for i, j in itertools.permutations(range(k), 2) if np.mean(sides[i]) > np.mean(sides[j])]
    p = {pair: test(sides[pair[0]], sides[pair[1]]) for pair in better}
    left, shown = k * (k - 1) // 2, set()
    for pair in sorted(better, key=lambda pair: p[pair]):  # Holm
        if p[pair] >= 0.05 / left:
            break
        shown.add(pair)
        left -= 1
    low = [1 + sum((i, j) in shown for i in range(k)) for j in range(k)]
    high = [k - sum((i, j) in shown for j in range(k)) for i in range(k)]
    return Ranks(np.array(low), np.array(high))


def same(found: Ranks, other: Ranks) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(found, other, strict=True))


@given(SIDES)
def test_ranks_follow_from_welchs_tests_of_all_pairs(sides: list[list[float]]) -> None:
    arrays = [np.array(side) for side in sides]
    found = ranks_of(arrays, [[None] * len(side) for side in sides])
    assert same(found, expected(arrays, lambda a, b: stats.ttest_ind(a, b, equal_var=False).pvalue))


@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(2, 8))
def test_runs_of_the_same_seeds_are_tested_in_pairs(key: int, k: int, n: int) -> None:
    r = np.random.default_rng(key)
    arrays = list(r.normal(size=(1, n)) + r.normal(0, 0.2, (k, n)) + r.normal(0, 1, (k, 1)))
    order = [r.permutation(n).tolist() for _ in range(k)]
    shuffled = [side[places] for side, places in zip(arrays, order, strict=True)]
    found = ranks_of(shuffled, order)
    assert same(found, expected(arrays, lambda a, b: stats.ttest_rel(a, b).pvalue))
    turned = ranks_of([-side for side in shuffled], order, "min")
    assert same(found, turned)


def test_all_ranks_together_are_wrong_in_at_most_one_of_twenty() -> None:
    """400 studies of 6 settings with 4 seeds, some equal, one of a larger spread."""
    r = np.random.default_rng(3)
    truth = np.array([1.0, 1.0, 0.9, 0.5, 0.5, -2.0])
    spread = np.array([0.1, 0.1, 0.3, 0.1, 0.1, 2.0])
    first, last = 1 + (truth[:, None] < truth).sum(axis=1), (truth[:, None] <= truth).sum(axis=1)
    wrong = 0
    for _ in range(400):
        values = r.normal(size=(1, 4)) * 0.1 + r.normal(size=(6, 4)) * spread[:, None] + truth[:, None]
        found = ranks_of(list(values), [range(4)] * 6)
        wrong += bool(((found.low > first) | (found.high < last)).any())
    assert wrong / 400 <= 0.05


@pytest.fixture
def sweep(write: Write, tmp_path: Path) -> Runs:
    """Three settings with four seeds each, of which two are alike; and one with a single run."""
    noise = np.random.default_rng(0).normal(0, 0.01, (3, 4))
    for k, (rate, top) in enumerate(((0.1, 0.5), (0.01, 0.9), (0.001, 0.9))):
        for seed in range(4):
            value = top + noise[k, seed]
            write(f"rate{k}-{seed}", {"eval/acc": [0.1, value, value - 0.2]}, {"rate": rate, "seed": seed})
    write("alone", {"eval/acc": [0.2]}, {"rate": 1.0, "seed": 0})
    write("nothing", {"eval/acc": [float("nan")]}, {"rate": 1.0, "seed": 1})
    return vizkit.load(tmp_path)


def test_runs_are_ranked_by_setting(sweep: Runs) -> None:
    found = sweep.rank("eval/acc")
    assert [setting.hparams["rate"] for setting in found.settings][2:] == [0.1, 1.0]
    assert [setting.ranks for setting in found.settings] == [(1, 3), (1, 3), (3, 4), (1, 4)]
    assert {setting.hparams["rate"] for setting in found.best} == {
        0.01,
        0.001,
        1.0,
    }  # of one run nothing is told
    assert found.left_out == 1 and found.settings[0].mean == pytest.approx(np.mean(found.settings[0].values))
    last = sweep.rank("eval/acc", value="last").settings[0]
    assert last.mean == pytest.approx(found.settings[0].mean - 0.2)
    assert len(json.loads(json.dumps(found.to_dict()))["settings"]) == 4


def test_of_two_settings_the_ranks_say_what_compare_says(sweep: Runs) -> None:
    for a, b in itertools.combinations(range(3), 2):
        some = Runs([*sweep[f"rate{a}-*"], *sweep[f"rate{b}-*"]])
        told = some.compare(f"rate{a}-*", f"rate{b}-*", "eval/acc").better is not None
        assert (len(some.rank("eval/acc").best) == 1) is told


def test_the_ranking_in_words(sweep: Runs) -> None:
    found = sweep.filter("rate < 1").rank("eval/acc")
    text = str(found)
    assert text.startswith("3 settings by eval/acc") and "1 to 2" in text
    assert "2 of 3 settings may be the best: rate = 0.01; rate = 0.001" in text.replace(
        "rate = 0.001; rate = 0.01;", "rate = 0.01; rate = 0.001;"
    )
    two = Runs([*sweep["rate0-*"], *sweep["rate1-*"]]).rank("eval/acc", value="last")
    assert two.sentence == "eval/acc: rate = 0.01 is the best of 2 settings"
    assert "<table>" in two._repr_html_()
    with speaking("zh"):
        assert two.sentence == "eval/acc：2 个设置中最好的是 rate = 0.01"


def test_ranks_of_hyper_parameters_that_are_named(sweep: Runs) -> None:
    assert [len(setting.runs) for setting in sweep.rank("eval/acc", by="rate").settings] == [4, 4, 4, 1]
    with pytest.raises(UnknownNameError, match="'size'"):
        sweep.rank("eval/acc", by="size")


def test_what_cannot_be_ranked(sweep: Runs) -> None:
    with pytest.raises(QueryError, match="there are 1 settings of 4 runs with a finite 'eval/acc'"):
        sweep["rate1-*"].rank("eval/acc")
    with pytest.raises(QueryError, match="two runs or more of one"):
        sweep.filter("seed == 0").rank("eval/acc")
    with pytest.raises(UnknownNameError, match="'loss'"):
        sweep.rank("loss")
    with pytest.raises(vizkit.DataError, match="value must be 'best', 'last' or a step"):
        sweep.rank("eval/acc", value="mean")  # type: ignore[arg-type]
