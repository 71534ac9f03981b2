"""McNemar's test equals SciPy's binomial test, the bootstrap SciPy's bootstrap, Holm a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.metrics.paired_tests import holm, mcnemar, paired_bootstrap

stats = pytest.importorskip("scipy.stats")


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_is_the_exact_binomial_test(mended: int, broken: int) -> None:
    n = mended + broken
    expected = stats.binomtest(mended, n, 0.5).pvalue if n else 1.0
    assert mcnemar(mended, broken) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_half_a_million_samples() -> None:
    assert mcnemar(249_300, 250_700) == pytest.approx(stats.binomtest(249_300, 500_000).pvalue, rel=1e-7)
    assert mcnemar(0, 500_000) == 0.0


@pytest.mark.parametrize("n", [12, 300])
def test_the_bootstrap_is_that_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).exponential(1, n) - 0.7
    found = paired_bootstrap(values)
    expected = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.mean == pytest.approx(values.mean())
    width = expected.high - expected.low
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03 * width)


def test_many_samples_have_the_interval_that_resampling_would_give() -> None:
    values = np.random.default_rng(5).exponential(1, 4000) - 0.97
    found = paired_bootstrap(values)
    rng = np.random.default_rng(6)
    means = [values[rng.integers(0, 4000, 4000)].mean() for _ in range(3000)]
    low, high = np.quantile(means, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * (high - low))
    assert found.p == pytest.approx(stats.norm.sf(abs(values.mean()) / stats.sem(values, ddof=0)) * 2)


def test_p_is_right_where_nothing_differs() -> None:
    rng = np.random.default_rng(7)
    ps = [paired_bootstrap(rng.normal(size=40)).p for _ in range(200)]
    assert 0.01 <= np.mean(np.less(ps, 0.05)) <= 0.11


def test_of_few_samples_and_of_equal_ones() -> None:
    assert math.isnan(paired_bootstrap([]).mean)
    assert paired_bootstrap([2.0])[0] == 2.0 and all(map(math.isnan, paired_bootstrap([2.0])[1:]))
    assert paired_bootstrap(np.zeros(5)) == (0, 0, 0, 1)
    assert paired_bootstrap(np.full(5000, 0.5)) == (0.5, 0.5, 0.5, 0)
    assert paired_bootstrap([1.0, 2.0, 3.0] * 4) == paired_bootstrap([1.0, 2.0, 3.0] * 4)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_the_step_down_procedure(p: list[float]) -> None:
    corrected = holm(p)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, place in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if p[place] * (len(p) - rank) > level:
                break
            rejected.add(place)
        assert {i for i, value in enumerate(corrected) if value <= level} == rejected


def test_holm_leaves_out_what_was_not_tested() -> None:
    assert holm([0.04, math.nan, 0.01])[::2] == [0.04, 0.02]
