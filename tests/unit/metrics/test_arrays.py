"""Conversion of numbers, arrays and tensors of any library."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import paddle
import pytest

from vizkit.errors import DataError
from vizkit.metrics.arrays import to_array, to_float, to_real


class Tensor:
    """A tensor of another framework, on a device and with a gradient."""

    def __init__(self, values: Any, dtype: str = "float32", calls: list[str] | None = None) -> None:
        self.values = np.asarray(values)
        self.dtype = dtype
        self.shape = self.values.shape
        self.calls = [] if calls is None else calls

    def detach(self) -> Tensor:
        self.calls.append("detach")
        return self

    def float(self) -> Tensor:
        self.calls.append("float")
        return Tensor(self.values.astype(np.float32), calls=self.calls)

    def cpu(self) -> Tensor:
        self.calls.append("cpu")
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        return self.values


class Meter:
    """A meter with a number, and a method that is named as an array's."""

    def item(self, key: str) -> str:
        return key

    def __float__(self) -> float:
        return 2.0


@pytest.mark.parametrize(
    "value",
    [
        *(2, 2.0, True + 1, np.float32(2), np.int64(2), Fraction(2), Decimal(2), Meter()),
        *("2", " 2.000000\n", "2e0", b"2", bytearray(b"2.0"), np.str_("2"), np.array(["2.0"])),
        *(np.array([[2.0]]), np.full((1, 1, 1), 2), paddle.to_tensor([2.0]), paddle.to_tensor([[2]])),
        *([2.0], (2,), [[2.0]], [np.float32(2)], [paddle.to_tensor([2.0])], ["2.0"], [np.array([2.0])]),
    ],
)
def test_one_number_of_any_kind(value: Any) -> None:
    found = to_float(value)
    assert type(found) is float
    assert found == 2.0


def test_texts_that_float_takes_are_numbers_as_in_visualdl() -> None:
    texts: list[Any] = ["inf", "nan"]
    np.testing.assert_equal([to_float(text) for text in texts], [np.inf, np.nan])


@pytest.mark.parametrize(
    "value",
    [
        *(None, np.ones(2), np.empty(0), 1j, np.complex64(1), object(), {2.0}, {"a": 2.0}),
        *([], [[]], [1.0, 2.0], [[1.0], [2.0]], [None], [1j], [np.ones(2)]),
    ],
)
def test_all_else_is_no_number(value: Any) -> None:
    with pytest.raises(DataError, match=r"one real number.*\.mean\(\)"):
        to_float(value)


@pytest.mark.parametrize("text", ["", "two", "0.5 (0.6)", "1,5", b"\xff", "0x10"])
def test_texts_that_float_refuses_are_named(text: str | bytes) -> None:
    with pytest.raises(DataError, match="one real number") as caught:
        to_float(text)
    assert repr(text) in str(caught.value)
    assert "mean" not in str(caught.value)


def test_what_is_masked_is_no_number() -> None:
    some = np.ma.array([1, 2, 900], mask=[False, False, True])
    assert np.isnan(to_float(np.ma.masked)) and np.isnan(to_float(some[2:]))
    assert np.isnan(to_float(np.ma.array([1.0], mask=[True]).mean())) and to_float(some.mean()) == 1.5
    assert to_float(some[:1]) == 1
    np.testing.assert_array_equal(to_array(some), [1, 2, np.nan])
    found = to_array(some[:2])
    assert type(found) is np.ndarray and found.dtype == some.dtype and found.tolist() == [1, 2]
    assert some.data.tolist() == [1, 2, 900]


def test_a_number_past_float64_is_refused() -> None:
    with pytest.raises(DataError, match="does not fit a 64 bit float"):
        to_float(10**400)


def test_an_array_is_passed_on_and_a_copy_shares_no_memory() -> None:
    values = np.arange(6.0).reshape(2, 3)
    assert to_array(values) is values
    copied = to_array(values, copy=True, order="F")
    assert not np.shares_memory(copied, values)
    assert copied.flags.f_contiguous
    np.testing.assert_array_equal(copied, values)


def test_fresh_arrays_are_not_copied_again() -> None:
    tensor = paddle.to_tensor([1.0, 2.0])
    for value in (tensor, [1.0, 2.0], (1.0, 2.0)):
        np.testing.assert_array_equal(to_array(value, copy=True), [1, 2])


def test_tensors_of_another_framework_are_detached_and_brought_to_the_host() -> None:
    tensor = Tensor([1.0, 2.0])
    found = to_array(tensor)
    assert found is tensor.values
    assert tensor.calls == ["detach", "cpu"]
    assert not np.shares_memory(to_array(tensor, copy=True), tensor.values)


def test_tensors_that_are_on_the_host_have_no_way_to_it() -> None:
    class OnHost:
        dtype, shape = "float32", (2,)

        def numpy(self) -> np.ndarray[Any, Any]:
            return np.array([1.0, 2.0])

    assert to_array(OnHost()).tolist() == [1, 2]


def test_bfloat16_becomes_float32() -> None:
    tensor = Tensor([1.5], dtype="torch.bfloat16")
    found = to_array(tensor)
    assert found.dtype == np.float32
    assert tensor.calls == ["detach", "float", "cpu"]
    brain = paddle.to_tensor([1.5, -2.0]).astype("bfloat16")
    assert to_array(brain).tolist() == [1.5, -2.0]
    assert to_array(brain).dtype == np.float32


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_types_that_numpy_has_not_are_numbers_not_bits(dtype: str) -> None:
    values = [1.0, 2.5, -3.0]
    tensor = paddle.to_tensor(values).astype(dtype)
    assert to_array(tensor).tolist() == values
    assert to_array([tensor, tensor]).tolist() == [values, values]
    assert to_array([[tensor[0], tensor[2]], (tensor[1], 4)]).tolist() == [[1.0, -3.0], [2.5, 4.0]]
    assert to_float(tensor[1]) == to_float(tensor[1:2]) == to_float([tensor[1]]) == 2.5


def test_sparse_tensors_are_whole() -> None:
    coo = paddle.sparse.sparse_coo_tensor([[0, 1], [1, 0]], [3.0, 0.5], [2, 2])
    csr = paddle.sparse.sparse_csr_tensor([0, 1, 2], [1, 0], [3.0, 0.5], [2, 2])
    assert to_array(coo).tolist() == to_array(csr).tolist() == [[0.0, 3.0], [0.5, 0.0]]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([1, 255], object), "int64"), (np.array([True, False], object), "bool"),
        (np.array([[1, 2.5]], object), "float64"), ([Decimal("0.5"), Decimal(2)], "float64"),
        (np.array([Fraction(1, 4)], object), "float64"), (np.array([2**70], object), "float64"),
        (np.array([np.float32(0.5)], object), "float32"),
    ],
)  # fmt: skip
def test_objects_that_are_numbers_are_numbers(value: Any, dtype: str) -> None:
    found = to_array(value)
    assert found.dtype == dtype and found.shape == np.shape(value)
    assert found.ravel().tolist() == [float(each) for each in np.ravel(value)]


@pytest.mark.parametrize(
    "value",
    [
        *(np.array([1, None], object), np.array(["1"], object), np.array([{}]), np.array(["2020"], "M8[Y]")),
        *("text", ["a", "b"], None, [object()]),
    ],
)
def test_what_holds_no_numbers_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="expected an array of numbers"):
        to_array(value)


def test_ragged_lists_are_refused() -> None:
    with pytest.raises(DataError, match="got list with parts of unequal length"):
        to_array([[1, 2], [3]])


def test_real_numbers_are_plain_arrays() -> None:
    assert type(to_real(np.matrix([[1, 2]]), "labels")) is np.ndarray
    with pytest.raises(DataError, match="labels must be real numbers"):
        to_real([1j], "labels")
