"""Importance of hyper-parameters; the numbers equal SciPy's, and those of an analysis of variance."""

from __future__ import annotations

import itertools
import json
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vizkit
from tests.unit.conftest import Write
from vizkit import DataError, QueryError, Runs
from vizkit.metrics.arrays import Floats
from vizkit.runs.importance import compute_importance, compute_interactions
from vizkit.runs.optuna_importance import optuna_importance

stats = pytest.importorskip("scipy.stats")


def test_importance_finds_what_mattered(seeds: Runs) -> None:
    table = seeds.filter("depth == 2").importance("acc").frame()
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


def test_many_runs_take_memory_of_their_number_alone() -> None:
    """3,000 runs of 1,000 levels: the shuffles of all at once would be 120 MB, a column a level 24 MB."""
    random = np.random.default_rng(0)
    hparams = {"many": random.integers(0, 1000, 3000).tolist(), "rate": random.uniform(size=3000).tolist()}
    tracemalloc.start()
    found = compute_importance(hparams, random.normal(size=3000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6 and {item.name for item in found} == {"many", "rate"}


def two_way(a: list[str], b: list[str], y: Floats) -> tuple[float, float]:
    """F and p of the interaction in a two-way analysis of variance: residuals of means, and of a + b."""
    cells = {pair: k for k, pair in enumerate(dict.fromkeys(zip(a, b, strict=True)))}
    cell = np.array([cells[pair] for pair in zip(a, b, strict=True)])
    within = sum(((y[cell == k] - y[cell == k].mean()) ** 2).sum() for k in range(len(cells)))
    additive = np.array(
        [
            [x == level for level in set(a)] + [z == level for level in set(b)]
            for x, z in zip(a, b, strict=True)
        ]
    )
    fit, _, rank, _ = np.linalg.lstsq(additive.astype(float), y, rcond=None)
    square = ((y - additive @ fit) ** 2).sum() - within
    df, left = len(cells) - rank, len(y) - len(cells)
    f = square / df / (within / left)
    return f, float(stats.f.sf(f, df, left))


@given(st.integers(0, 2**32), st.integers(2, 3), st.integers(2, 3), st.booleans())
def test_an_interaction_is_that_of_a_two_way_analysis_of_variance(
    key: int, first: int, second: int, balanced: bool
) -> None:
    random = np.random.default_rng(key)
    grid = list(itertools.product("pqr"[:first], "xyz"[:second])) * 3
    kept = grid if balanced else grid[: -random.integers(1, 5)]
    a, b = ([pair[k] for pair in kept] for k in (0, 1))
    y = random.normal(size=len(kept)) + np.array([x == "p" and z == "x" for x, z in kept]) * random.normal()
    (found,) = compute_interactions({"a": a, "b": b}, y)
    f, p = two_way(a, b, y)
    assert found.names == ("a", "b") and found.p == pytest.approx(p, abs=0.1)  # y is normal
    df, left = (first - 1) * (second - 1), len(y) - first * second
    total = ((y - y.mean()) ** 2).sum()
    residual = (
        sum(
            ((some - some.mean()) ** 2).sum()
            for some in (y[[pair == one for pair in kept]] for one in set(kept))
        )
        / left
    )
    assert found.importance == pytest.approx(max(0.0, df * residual * (f - 1) / total))


@pytest.mark.parametrize("n", [8, 12, 20])
def test_runs_that_diverged_do_not_make_interactions_of_random_values(n: int) -> None:
    """The F test finds some in 10 to 20 % of such searches."""
    random = np.random.default_rng(n)
    found = []
    for _ in range(100):
        hparams = {
            "drop": random.uniform(0, 1, n).tolist(),
            "batch size": random.choice([16, 32, 64], n).tolist(),
            "optimizer": random.choice(["SGD", "Adam"], n).tolist(),
        }
        found += compute_interactions(hparams, np.exp(2 * random.normal(size=n)))
    assert len(found) > 150
    assert np.mean([item.p <= 0.05 for item in found]) < 0.085


def test_of_two_that_only_count_together_none_matters_alone() -> None:
    grid = list(itertools.product([0, 1], [0, 1])) * 4
    y = np.array([float(a == b) for a, b in grid]) + np.random.default_rng(0).normal(0, 0.01, 16)
    hparams = {"a": [a for a, _ in grid], "b": [b for _, b in grid], "twin": [a for a, _ in grid]}
    assert all(item.importance < 0.05 for item in compute_importance(hparams, y))
    found = {item.names: item for item in compute_interactions(hparams, y)}
    assert found["a", "b"].importance > 0.99 and found["a", "b"].p < 1e-3 and ("a", "twin") not in found
    assert (
        compute_interactions({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]}, [1.0, 2, 3, 5]) == []
    )  # no run is left


def test_optuna_agrees_on_what_matters() -> None:
    random = np.random.default_rng(0)
    rate = (10 ** random.uniform(-5, -1, 60)).tolist()
    kind = random.choice(["SGD", "Adam"], 60).tolist()
    y = [-((math.log10(value) + 3) ** 2) for value in rate]
    columns: dict[str, list[object]] = {"rate": rate, "kind": kind, "depth": [None, 2] * 30, "same": [1] * 60}
    for evaluator in ("ped-anova", "fanova"):
        found = optuna_importance(columns, y, "max", evaluator)
        assert found[0].name == "rate" and found[0].importance > 0.7
        assert sum(item.importance for item in found) == pytest.approx(1) and len(found) == 3
        assert math.isnan(found[0].p) and found[0].values == 60


def test_optuna_says_nothing_of_the_study_that_it_is_given(caplog: pytest.LogCaptureFixture) -> None:
    optuna = pytest.importorskip("optuna")
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    optuna.logging.enable_propagation()
    try:
        optuna_importance({"a": [1, 2, 3, 4]}, [1, 2, 3, 4], "max", "ped-anova")
        assert not caplog.records and optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.disable_propagation()
        optuna.logging.set_verbosity(before)


def test_the_importance_in_words(write: Write, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for k, (a, b) in enumerate(itertools.product([1, 2], [1, 2])):
        for seed in range(4):
            value = 0.5 + 0.2 * a * (a == b) + random.normal(0, 0.001)
            write(f"run{k}-{seed}", {"acc": [value]}, {"a": a, "b": b, "seed": seed})
    runs = vizkit.load(tmp_path)
    found = runs.importance("acc", interactions=True)
    assert "; only by both together: a × b " in found.sentence and "p < 0.001" in found.sentence
    text = str(found)
    assert (
        text.startswith("what acc depends on, in 16 runs")
        and "a × b" in text
        and "<table>" in found._repr_html_()
    )
    assert runs.importance("acc").interactions == () and found["a"].n == 16
    assert json.loads(json.dumps(found.to_dict()))["interactions"][0]["names"] == ["a", "b"]
    assert [text.get_text() for text in found.plot().ax.get_yticklabels()][-1] == "a × b"
    other = runs.importance("acc", evaluator="ped-anova")
    assert other.sentence.startswith("acc depends most on ") and other.plot().texts[0].get_text()[-1] == "%"
    with pytest.raises(DataError, match="evaluator must be"):
        runs.importance("acc", evaluator="shap")  # type: ignore[arg-type]
    nothing = runs.filter("a == 1 and b == 2").importance("acc")
    assert nothing.sentence == "acc: no hyper-parameter is shown to matter alone in 4 runs"
