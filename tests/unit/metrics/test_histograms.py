"""Histograms: NumPy's own counts and edges, whatever the values, without its faults of rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from vizkit.errors import DataError
from vizkit.metrics.histograms import Histogram, compute_histogram

RNG = np.random.default_rng(7)
FLOATS = (np.float16, np.float32, np.float64)
INTEGERS = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)


def same_as_numpy(found: Histogram, values: NDArray[Any], buckets: Any = 10) -> None:
    """NumPy's answer for the finite values."""
    counts, edges = np.histogram(values[np.isfinite(values)], bins=buckets)
    np.testing.assert_array_equal(found.edges, edges.astype(np.float64))
    np.testing.assert_array_equal(found.counts, counts)
    assert found.counts.dtype == np.int64
    assert found.edges.dtype == np.float64


def well_formed(found: Histogram, size: int, buckets: int) -> None:
    assert found.counts.shape == (buckets,)
    assert found.edges.shape == (buckets + 1,)
    assert np.isfinite(found.edges).all()
    assert (np.diff(found.edges / 4) >= 0).all()
    assert found.counts.sum() + found.nan + found.posinf + found.neginf == size


def counted_by_sorting(values: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[Any]:
    return np.histogram(values.astype(np.float64), bins=edges)[0]


@pytest.mark.parametrize("buckets", [1, 2, 10, 16, 17, 30, 64, 1000])
@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_are_counted_as_numpy_counts_them(dtype: Any, buckets: int) -> None:
    for size in (1, 7, 1000, 70_000, 200_001):
        values = RNG.normal(scale=0.05, size=size).astype(dtype)
        same_as_numpy(compute_histogram(values, buckets), values, buckets)


@pytest.mark.parametrize("buckets", [1, 10, 16, 17, 64, 100])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_counted_as_numpy_counts_them(dtype: Any, buckets: int) -> None:
    limits = np.iinfo(dtype)
    for low, high in ((limits.min, limits.max), (0, 100), (3, 4), (5, 5)):
        values = RNG.integers(low, high, 70_000, dtype=dtype, endpoint=True)
        same_as_numpy(compute_histogram(values, buckets), values, buckets)


def test_booleans_count_as_0_and_1() -> None:
    found = compute_histogram(np.array([True, False, True]), 4)
    assert found.counts.tolist() == [1, 0, 0, 2]
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_any_shape_and_layout() -> None:
    cube = RNG.normal(size=(40, 50, 60)).astype(np.float32)
    for values in (cube, cube[::2, 1::3, ::-1], cube.transpose(2, 0, 1), np.asfortranarray(cube)):
        same_as_numpy(compute_histogram(values), values)
    scattered = RNG.normal(size=(2, 70_000)).astype(np.float16).T[:, ::2]
    same_as_numpy(compute_histogram(scattered), scattered)
    swapped = cube.astype(">f4")
    same_as_numpy(compute_histogram(swapped), swapped)
    assert compute_histogram([[1, 2], [3, 4]], 2).counts.tolist() == [2, 2]
    assert compute_histogram(3.0, 2).edges.tolist() == [2.5, 3.0, 3.5]


def test_the_callers_array_is_left_alone() -> None:
    for dtype in (*FLOATS, np.int32, np.bool_):
        values = RNG.integers(0, 2, 70_000).astype(dtype)
        before = values.copy()
        values.flags.writeable = False
        for buckets in (10, 64):
            compute_histogram(values, buckets)
        np.testing.assert_array_equal(values, before)


def test_paddle_tensors_and_bfloat16() -> None:
    tensor = paddle.to_tensor(np.linspace(-1, 1, 101, dtype=np.float32))
    same_as_numpy(compute_histogram(tensor), tensor.numpy())
    brain = tensor.astype("bfloat16")
    same_as_numpy(compute_histogram(brain), brain.astype("float32").numpy())
    assert abs(compute_histogram(brain).edges).max() == 1


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [100, 70_000])
def test_nan_and_inf_are_counted_apart(dtype: Any, size: int) -> None:
    values = RNG.normal(size=size).astype(dtype)
    values[[3, 50, 97]] = np.nan
    values[[0, 9]] = np.inf
    values[size - 1] = -np.inf
    for buckets in (10, 64):
        found = compute_histogram(values, buckets)
        assert (found.nan, found.posinf, found.neginf) == (3, 2, 1)
        same_as_numpy(found, values, buckets)


@pytest.mark.parametrize("values", [[], np.zeros((0, 3), np.float32), [np.nan], [np.inf, -np.inf]])
def test_without_a_finite_value(values: Any) -> None:
    found = compute_histogram(values, 4)
    assert found.counts.tolist() == [0, 0, 0, 0]
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.nan + found.posinf + found.neginf == np.size(values)


@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.uint8])
@pytest.mark.parametrize("value", [0, 7])
def test_constant_values(dtype: Any, value: int) -> None:
    for size in (1, 1000, 70_000):
        values = np.full(size, value, dtype)
        for buckets in (1, 2, 10, 17, 64):
            same_as_numpy(compute_histogram(values, buckets), values, buckets)


@pytest.mark.parametrize("buckets", [[0, 1, 5], np.array([-2.5, 0, 0, 1]), "auto", "sqrt", "fd"])
def test_edges_and_rules_go_to_numpy(buckets: Any) -> None:
    values = RNG.normal(size=1000)
    same_as_numpy(compute_histogram(values, buckets), values, buckets)


@pytest.mark.parametrize("buckets", [0, -3, 2.5, "no such rule", [1], [2, 1], [0, np.nan, 1], None, [[0, 1]]])
def test_impossible_buckets(buckets: Any) -> None:
    with pytest.raises(DataError, match="buckets="):
        compute_histogram([1.0, 2.0], buckets)


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"real numbers.*complex128"):
        compute_histogram(np.array([1j]))


@pytest.mark.parametrize("buckets", [1, 10, 64])
def test_a_range_that_overflows(buckets: int) -> None:
    for dtype in FLOATS:
        most = np.finfo(dtype).max
        for size in (4, 70_000):
            values = np.resize(np.array([-most, most, most / 2, 0], dtype), size)
            found = compute_histogram(values, buckets)
            well_formed(found, size, buckets)
            assert found.edges[0] == -most
            assert found.edges[-1] == most
            assert found.counts[-1] >= size // 4
    well_formed(
        compute_histogram([1e308, -1e308, np.nan], "auto"),
        3,
        len(compute_histogram([1e308, -1e308], "auto").counts),
    )


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, np.nextafter(1, 2)]),
        np.array([1, np.nextafter(np.float32(1), np.float32(2))], np.float32),
        np.array([1e17]),
        np.array([np.finfo(np.float64).max]),
        np.array([-np.finfo(np.float64).max]),
        np.array([0, 5e-324]),
        np.array([1e-45, 3e-45], np.float32),
        np.array([65504], np.float16),
        np.full(70_000, 2048, np.float16),
        np.array([2**63 - 1]),
    ],
)
def test_a_range_too_narrow_for_the_buckets(values: NDArray[Any]) -> None:
    """NumPy raises for these; the edges move apart instead."""
    for buckets in (10, 64, 1000):
        found = compute_histogram(values, buckets)
        well_formed(found, values.size, buckets)
        assert (np.diff(found.edges) > 0).all()
        np.testing.assert_array_equal(found.counts, counted_by_sorting(values, found.edges))


def numpys_edges(values: NDArray[Any], buckets: int) -> NDArray[Any] | None:
    """None where NumPy has none, or such that coincide, which its newer versions refuse."""
    try:
        with np.errstate(all="ignore"):
            edges = np.histogram_bin_edges(values, bins=buckets)
            usable = bool(np.isfinite(edges[-1] - edges[0]) and (edges[:-1] < edges[1:]).all())
    except ValueError:
        return None
    return edges if usable else None


def agrees(values: NDArray[Any], buckets: int) -> None:
    """NumPy's edges; the counts are those between them, which NumPy's own are not in all of its versions."""
    found = compute_histogram(values, buckets)
    well_formed(found, values.size, buckets)
    edges = numpys_edges(values, buckets)
    if edges is not None:
        np.testing.assert_array_equal(found.edges, edges.astype(np.float64))
    np.testing.assert_array_equal(found.counts, counted_by_sorting(values, found.edges))


BUCKETS = st.sampled_from([1, 2, 3, 10, 15, 16, 17, 18, 30, 64, 255])
FINITE = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@FINITE
@given(data=st.data(), buckets=BUCKETS, width=st.sampled_from([16, 32, 64]))
def test_any_finite_floats(data: st.DataObject, buckets: int, width: Any) -> None:
    """Of every size, denormals and the largest included."""
    elements = st.floats(width=width, allow_nan=False, allow_infinity=False)
    values = data.draw(hnp.arrays(f"f{width // 8}", st.integers(1, 60), elements=elements))
    agrees(values, buckets)


@FINITE
@example(dtype=np.float16, buckets=10, start=-22.0, width=1.0, repeats=700)  # NumPy's sort may fail on these
@given(
    dtype=st.sampled_from(FLOATS),
    buckets=BUCKETS,
    start=st.floats(-100, 100),
    width=st.floats(1e-6, 1000),
    repeats=st.sampled_from([1, 700]),
)
def test_values_on_and_beside_the_edges(
    dtype: Any, buckets: int, start: float, width: float, repeats: int
) -> None:
    ends = np.array([start, start + width], dtype)
    edges = numpys_edges(ends, buckets)
    if edges is None:
        return
    edges = edges.astype(dtype)
    values = np.concatenate([edges, np.nextafter(edges[1:], ends[0]), np.nextafter(edges[:-1], ends[1])])
    agrees(np.tile(values, repeats), buckets)


@FINITE
@given(
    dtype=st.sampled_from(FLOATS),
    buckets=BUCKETS,
    start=st.floats(-1e4, 1e4),
    steps=st.lists(st.integers(0, 3000), min_size=1, max_size=50),
)
def test_a_range_of_a_few_neighbouring_floats(
    dtype: Any, buckets: int, start: float, steps: list[int]
) -> None:
    first = np.array(start, dtype)
    values = (first.astype(np.float64) + np.array(steps) * float(np.spacing(np.abs(first)))).astype(dtype)
    agrees(values, buckets)


@FINITE
@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    buckets=BUCKETS,
    parts=st.lists(st.integers(-4000, 4000), min_size=1, max_size=50),
)
def test_denormals(dtype: Any, buckets: int, parts: list[int]) -> None:
    agrees(np.array(parts, dtype) * np.finfo(dtype).smallest_subnormal, buckets)


@FINITE
@given(
    values=hnp.arrays(st.sampled_from([np.dtype(d) for d in INTEGERS]), st.integers(1, 60)), buckets=BUCKETS
)
def test_any_integers(values: NDArray[Any], buckets: int) -> None:
    agrees(values, buckets)


def test_long_doubles_count_as_float64() -> None:
    values = np.array([0.0, 1.0, 2.0, 2.0], np.longdouble)
    same_as_numpy(compute_histogram(values, 2), values.astype(np.float64), 2)


def test_a_rule_of_integers_is_that_of_numpy() -> None:
    values = np.array([1, 2, 2, 3, 9])
    same_as_numpy(compute_histogram(values, "sturges"), values, "sturges")
