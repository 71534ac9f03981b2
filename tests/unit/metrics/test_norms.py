from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from vizkit.metrics.norms import TensorNorms, tensor_norms

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (7, 5), (100_003,), (3, 1 << 15)])
def test_sums_are_those_of_numpy(kind: str, shape: Any) -> None:
    values = np.asarray(RNG.normal(scale=3, size=shape)).astype(kind)
    if values.size > 3:
        values.flat[::3] = 0
    wide = values.astype(np.float64).ravel()
    got = tensor_norms(values)
    assert got.squares == pytest.approx(float(wide @ wide), rel=1e-12)
    assert (got.size, got.zeros, got.nonfinite) == (values.size, int((wide == 0).sum()), 0)


def test_values_that_are_not_finite() -> None:
    values = RNG.normal(size=100_000).astype(np.float32)
    values[[5, 50_000]] = np.inf, -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tensor_norms(values).norm == np.inf
        values[70_000] = np.nan
        got = tensor_norms(values)
        huge = tensor_norms(np.full(3, 1e200))
    assert np.isnan(got.norm)
    assert got.nonfinite == 3
    assert got.nonfinite_fraction == 3e-5
    assert huge.nonfinite == 0


def test_a_difference_is_exact_in_float32() -> None:
    before = RNG.normal(size=(300, 200)).astype(np.float32)
    after = before + np.float32(1e-6) * RNG.normal(size=before.shape).astype(np.float32)
    truth = np.linalg.norm(after.astype(np.float64) - before)
    assert tensor_norms(after, before).norm == pytest.approx(truth, rel=1e-12)
    assert tensor_norms(before, before).zeros == before.size


def test_sums_add_up_and_nothing_has_no_share() -> None:
    one, other = RNG.normal(size=10), np.zeros(30)
    both = tensor_norms(one) + tensor_norms(other)
    assert both.norm == pytest.approx(np.linalg.norm(one))
    assert both.zero_fraction == 0.75
    assert np.isnan(TensorNorms().zero_fraction) and np.isnan(TensorNorms().nonfinite_fraction)
