"""Importance of hyper-parameters; the numbers equal SciPy's."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from vizkit import QueryError, Runs
from vizkit.runs.importance import compute_importance

stats = pytest.importorskip("scipy.stats")


def test_importance_finds_what_mattered(seeds: Runs) -> None:
    table = seeds.filter("depth == 2").importance("acc")
    assert table.index.tolist()[0] == "optimizer" and table.index.name == "hparam"
    assert table.loc["optimizer", "importance"] > 0.8 > 0.3 > table.loc["seed", "importance"]
    assert (table["n"] == 6).all() and "depth" not in table.index
    # 6 runs, 3 of each: the two best partitions of 20 explain as much.
    assert table.loc["optimizer", "p"] == pytest.approx(2 / 20)
    with pytest.raises(QueryError, match=r"four runs or more .* there are 3"):
        seeds["sgd-*"].importance("acc")


def test_importance_is_adjusted_r_squared_and_its_p_a_permutation_test() -> None:
    levels, y = ["a", "a", "b", "b", "c", "c"], np.array([1.0, 2, 2, 4, 7, 6])
    (found,) = compute_importance({"x": levels}, y)
    f = stats.f_oneway(y[:2], y[2:4], y[4:]).statistic
    assert found.importance == pytest.approx(2 * (f - 1) / (2 * f + 3))  # epsilon squared by F
    test = stats.permutation_test(
        (y[:2], y[2:4], y[4:]),
        lambda *groups: stats.f_oneway(*groups).statistic,
        alternative="greater",
        n_resamples=np.inf,
    )
    assert found.p == pytest.approx(test.pvalue) and found.values == 3 and found.n == 6


def test_importance_of_numbers_sees_a_best_value_in_the_middle() -> None:
    rate = [10.0**-k for k in range(9)]
    y = -((np.arange(9) - 4.0) ** 2)
    found = {
        item.name: item
        for item in compute_importance({"rate": rate, "noise": [3, 1, 4, 1, 5, 9, 2, 6, 5]}, y)
    }
    assert found["rate"].importance == pytest.approx(1) and found["rate"].p < 0.01
    assert found["noise"].importance < 0.6


def test_what_changed_together_is_named_and_unique_texts_tell_nothing() -> None:
    y = np.array([1.0, 2, 3, 4])
    found = {
        item.name: item
        for item in compute_importance(
            {"a": [0, 0, 1, 1], "b": ["x", "x", "y", "y"], "path": list("wxyz"), "same": [1] * 4}, y
        )
    }
    assert found["a"].with_ == ("b",) and found["b"].with_ == ("a",) and "same" not in found
    assert math.isnan(found["path"].importance) and found["a"].importance == pytest.approx(
        1 - (1 / 5) * 3 / 2
    )


def test_nothing_is_important_where_nothing_varies() -> None:
    (found,) = compute_importance({"a": [0, 0, 1, 1]}, [2.0] * 4)
    assert found.importance == 0 and found.p == 1


def test_noise_is_seldom_important() -> None:
    random = np.random.default_rng(0)
    levels = list("aabbccdd")
    small = sum(compute_importance({"x": levels}, random.normal(size=8))[0].p < 0.05 for _ in range(40))
    assert small <= 6
    assert all(0 <= item.importance <= 1 for item in compute_importance({"x": levels}, random.normal(size=8)))


def test_all_orders_are_tried_for_few_runs() -> None:
    y = np.array([3.0, 1, 2, 5, 4])
    rank = np.array([0, 0, 1, 1, 1])
    (found,) = compute_importance({"x": ["p", "p", "q", "q", "q"]}, y)
    shares = [abs(np.corrcoef(rank, np.array(order))[0, 1]) for order in itertools.permutations(y)]
    expected = np.mean(np.array(shares) >= abs(np.corrcoef(rank, y)[0, 1]) - 1e-9)
    assert found.p == pytest.approx(expected)


@pytest.mark.parametrize("n", [8, 12, 30])
def test_independent_values_of_a_random_search_did_not_change_together(n: int) -> None:
    random = np.random.default_rng(n)
    rate, decay = 10 ** random.uniform(-5, -1, n), random.uniform(0, 1, n)
    columns = {"lr": rate, "decay": decay, "warmup": 10 * rate, "inverse": 1 / rate}
    texts = {"name": [f"run {k}" for k in range(n)]}
    found = compute_importance(
        {**{k: v.tolist() for k, v in columns.items()}, **texts}, random.normal(size=n)
    )
    together = {item.name: item.with_ for item in found}
    assert together["decay"] == together["name"] == ()
    assert together["lr"] == ("warmup", "inverse")
