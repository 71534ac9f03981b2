"""Groups, comparisons and importance; the numbers equal SciPy's."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vizkit
from vizkit import LogWriter, QueryError, Runs, UnknownNameError
from vizkit.runs.importance import compute_importance
from vizkit.runs.statistics import align, column_statistics, mean_interval, t_quantile, welch

stats = pytest.importorskip("scipy.stats")
NAN = float("nan")


def write(
    root: Path, name: str, hparams: dict[str, object], values: list[float], steps: list[int] | None = None
) -> None:
    with LogWriter(str(root / name)) as writer:
        writer.add_hparams(hparams, ["acc"])
        for step, value in zip(steps or range(len(values)), values, strict=True):
            writer.add_scalar("acc", value, step, walltime=1_000_000 + step * 1000)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("log")
    for seed, noise in enumerate([-0.02, 0.0, 0.03]):
        write(
            root,
            f"sgd-{seed}",
            {"optimizer": "SGD", "depth": 2, "seed": seed},
            [0.5 + noise, 0.6 + noise, 0.7 + noise],
        )
        write(
            root,
            f"adam-{seed}",
            {"optimizer": "Adam", "depth": 2, "seed": seed},
            [0.6, 0.8 + noise, 0.85 + noise],
        )
    write(root, "alone", {"optimizer": "Lamb", "depth": 3, "seed": 0}, [0.1, 0.2, NAN])
    return vizkit.load(root)


# -- the numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("df", [0.5, 1, 2, 3, 4.7, 10, 30.3, 500, 123_456.0, 1e9])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_quantiles_of_students_t(df: float, confidence: float) -> None:
    assert t_quantile(confidence, df) == pytest.approx(stats.t.ppf(0.5 + confidence / 2, df), rel=1e-7)


numbers = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8)


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(numbers, numbers)
def test_welchs_interval(a: list[float], b: list[float]) -> None:
    found = welch(a, b)
    if np.var(a) + np.var(b) < 1e-12:
        assert found.value == pytest.approx(np.mean(b) - np.mean(a), abs=1e-9)
        return
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx(np.mean(b) - np.mean(a), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)


@given(numbers)
def test_the_interval_of_a_mean(values: list[float]) -> None:
    found = mean_interval(values)
    error = stats.sem(values)
    half = stats.t.ppf(0.975, len(values) - 1) * error
    assert (found.low, found.high) == pytest.approx(
        (np.mean(values) - half, np.mean(values) + half), abs=1e-7
    )


def test_too_few_values_have_no_interval() -> None:
    assert math.isnan(mean_interval([1.0]).low) and mean_interval([1.0]).value == 1
    assert math.isnan(welch([1.0], [2.0, 3.0]).high) and welch([1.0], [2.0, 3.0]).value == 1.5
    assert welch([1.0, 1.0], [2.0, 2.0]) == (1, 1, 1)


def test_spread_leaves_nan_out() -> None:
    mean, std, n, low, high = column_statistics(np.array([[1.0, NAN, NAN], [3.0, 5.0, NAN]]))
    assert mean[:2].tolist() == [2, 5] and n.tolist() == [2, 1, 0] and math.isnan(mean[2])
    assert std[0] == pytest.approx(math.sqrt(2)) and np.isnan(std[1:]).all() and np.isnan(low[1:]).all()
    assert high[0] - 2 == pytest.approx(stats.t.ppf(0.975, 1))


def test_aligned_series_have_values_only_where_they_are() -> None:
    grid = np.arange(5.0)
    values, covered = align(
        [(np.array([1, 3]), np.array([10.0, 30.0])), (np.array([0, 1, 1, 2]), np.array([1, 2, 3.0, NAN]))],
        grid,
    )
    assert np.array_equal(values[0], [NAN, 10, 20, 30, NAN], equal_nan=True)
    assert np.array_equal(values[1], [1, 3, NAN, NAN, NAN], equal_nan=True)  # the later of two at one place
    assert covered.tolist() == [[False, True, True, True, False], [True, True, True, False, False]]


# -- groups --------------------------------------------------------------------------------------


def test_groups_over_seeds(runs: Runs) -> None:
    groups = runs.group_by("optimizer")
    assert (
        list(groups) == ["Adam", "Lamb", "SGD"] and len(groups["SGD"]) == 3 and groups.names == ["optimizer"]
    )
    frame = groups.scalars("acc")
    assert list(frame.columns) == ["optimizer", "step", "mean", "std", "n", "nan", "low", "high"]
    sgd = frame[(frame["optimizer"] == "SGD") & (frame["step"] == 2)].iloc[0]
    values = [0.68, 0.7, 0.73]
    assert sgd["mean"] == pytest.approx(np.mean(values)) and sgd["std"] == pytest.approx(
        np.std(values, ddof=1)
    )
    low, high = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert (sgd["low"], sgd["high"]) == pytest.approx((low, high)) and sgd["n"] == 3
    lamb = frame[frame["optimizer"] == "Lamb"]
    assert lamb["n"].tolist() == [1, 1, 0] and lamb["nan"].tolist() == [0, 0, 1] and lamb["low"].isna().all()
    table = groups.table("acc")
    assert table["optimizer"].tolist() == ["Adam", "Lamb", "SGD"] and table["n"].tolist() == [3, 1, 3]
    assert table["mean"][1] == 0.2 and math.isnan(table["std"][1]) and table["max"][2] == pytest.approx(0.73)
    with pytest.raises(UnknownNameError, match="closest: 'Adam'"):
        groups["Adan"]
    with pytest.raises(UnknownNameError, match="'accuracy'"):
        groups.scalars("accuracy")
    with pytest.raises(QueryError, match="'step' or 'time'"):
        groups.scalars("acc", on="epoch")  # type: ignore[arg-type]


def test_groups_by_several_and_by_functions(runs: Runs) -> None:
    groups = runs.group_by(["depth", "optimizer"])
    assert list(groups) == [(2, "Adam"), (2, "SGD"), (3, "Lamb")]
    assert list(groups.table("acc").columns[:2]) == ["depth", "optimizer"]
    assert list(runs.group_by(lambda run: run.name[0])) == ["a", "s"]
    with pytest.raises(UnknownNameError, match="closest: 'optimizer'"):
        runs.group_by("optimiser")
    with pytest.raises(QueryError):
        runs.group_by([])


def test_runs_of_different_steps_are_aligned(tmp_path: Path) -> None:
    write(tmp_path, "a", {"lr": 1}, [0.0, 1.0], [0, 10])
    write(tmp_path, "b", {"lr": 1}, [2.0, 4.0], [5, 15])
    groups = vizkit.load(tmp_path).group_by("lr")
    frame = groups.scalars("acc")
    assert frame["step"].tolist() == [0, 5, 10, 15] and frame["n"].tolist() == [1, 2, 2, 1]
    assert frame["mean"].tolist() == [0, (0.5 + 2) / 2, (1 + 3) / 2, 4]
    frame = groups.scalars("acc", on="time")
    assert frame.columns[1] == "seconds" and frame["seconds"].iloc[-1] == 10
    assert frame["mean"].iloc[0] == 1 and frame["mean"].iloc[-1] == 2.5  # each run's clock starts with it


# -- is B better than A? -------------------------------------------------------------------------


def test_compare(runs: Runs) -> None:
    found = runs.compare("optimizer == 'SGD'", "adam-*", "acc")
    values = [0.68, 0.7, 0.73], [0.83, 0.85, 0.88]
    expected = stats.ttest_ind(values[1], values[0], equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (
        found.difference == pytest.approx(0.15) and (found.n_a, found.n_b) == (3, 3) and found.better is True
    )
    assert runs.compare("adam-*", "sgd-*", "acc").better is False
    assert runs.compare("adam-*", "sgd-*", "acc", mode="min").better is True
    assert "95 % interval" in str(found) and "B is better" in str(found)
    assert runs.compare(runs["sgd-*"], runs["sgd-*"], "acc").better is None


def test_one_run_a_side_has_no_interval(runs: Runs) -> None:
    found = runs.compare("sgd-0", runs["adam-0"], "acc")
    assert found.better is None and math.isnan(found.low) and found.n_a == 1
    assert "no interval can be given" in str(found)


def test_what_cannot_be_compared(runs: Runs) -> None:
    with pytest.raises(UnknownNameError, match="'sgd-9'"):
        runs.compare("sgd-9", "adam-0", "acc")
    with pytest.raises(QueryError, match="none of the 0 runs of B"):
        runs.compare("sgd-0", "seed > 9", "acc")
    with pytest.raises(UnknownNameError, match="'loss'"):
        runs.compare("sgd-0", "sgd-1", "loss")


# -- which hyper-parameter mattered? -------------------------------------------------------------


def test_importance_finds_what_mattered(runs: Runs) -> None:
    table = runs.filter("depth == 2").importance("acc")
    assert table.index.tolist()[0] == "optimizer" and table.index.name == "hparam"
    assert table.loc["optimizer", "importance"] > 0.8 > 0.3 > table.loc["seed", "importance"]
    assert (table["n"] == 6).all() and "depth" not in table.index
    # 6 runs, 3 of each: the two best partitions of 20 explain as much.
    assert table.loc["optimizer", "p"] == pytest.approx(2 / 20)
    with pytest.raises(QueryError, match=r"four runs or more .* there are 3"):
        runs["sgd-*"].importance("acc")


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


def test_hyper_parameters_named_as_columns_are_kept_apart(tmp_path: Path) -> None:
    for index in range(2):
        write(tmp_path, f"r{index}", {"n": 32, "mean": (1, 2)}, [0.5])
    groups = vizkit.load(tmp_path).group_by(["n", "mean"])
    assert list(groups) == [(32, (1, 2))]
    assert groups.scalars("acc").loc[0, ["hparams.n", "n"]].tolist() == [32, 2]
    assert groups.table("acc").loc[0, ["hparams.n", "n"]].tolist() == [32, 2]
    assert groups.scalars("acc", on="time")["hparams.mean"][0] == (1, 2)
