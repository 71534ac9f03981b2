"""Array types, and conversion of numbers, arrays and tensors of any framework.

Tensors are recognised by their methods, without importing their framework.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit._language import tr
from vizkit._protocols import ArrayLike, ScalarLike
from vizkit.errors import DataError

__all__ = [
    "AnyArray",
    "Bools",
    "Floats",
    "Indices",
    "Ints",
    "Pixels",
    "dtype_of",
    "first_best",
    "shape_of",
    "to_array",
    "to_float",
    "to_real",
    "to_view",
]

AnyArray = NDArray[Any]
"""An array of any type of numbers."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Indices = NDArray[np.intp]
"""Places in another array, as NumPy's ``argsort`` and ``searchsorted`` give them."""

Pixels = NDArray[np.uint8]
"""An image of shape (H, W) for grey, (H, W, 3) for RGB or (H, W, 4) for RGBA."""

_Masked = np.ma.MaskedArray
_MOST_AXES = 8  # of nested lists with tensors


def to_float(value: ScalarLike) -> float:
    """Convert a value that holds one number to a Python float (64 bit).

    Args:
        value: a Python, NumPy or Paddle number, an array, tensor, list or tuple that holds one, of any
            shape, or a text or bytes that ``float`` takes. A masked one is NaN.

    Raises:
        DataError: ``value`` is not a real number, or holds more or fewer than one.
    """
    try:
        try:
            # First of all: a tensor's way, called for every scalar.
            number = value.item()  # type: ignore[union-attr]
            if isinstance(value, _Masked) and np.ma.getmaskarray(value).any():
                return math.nan  # as the mean of nothing but masked values
        except AttributeError:
            number = value
        return number if type(number) is float else float(number)
    except OverflowError:
        raise DataError("{value} does not fit a 64 bit float", value=describe(value)) from None
    except (TypeError, ValueError, RuntimeError):
        return _only_number(value)


def first_best(values: Floats, mode: Literal["min", "max"]) -> int:
    """The place of the first least or greatest of (n,) values, one of which at least is not NaN.

    NumPy's ``nanargmin`` takes a NaN for an infinity, and so may name one where all others are infinite.
    """
    best = (np.fmin if mode == "min" else np.fmax).reduce(values)
    return int(np.flatnonzero(values == best)[0])


def _only_number(value: ScalarLike | Sequence[ScalarLike]) -> float:
    """The number in nested lists of one, or of an object with a method ``item`` of another meaning."""
    inner: object = value
    while isinstance(inner, (list, tuple)) and len(inner) == 1:
        inner = inner[0]
    try:
        if inner is not value:
            return to_float(cast("float", inner))
        if not hasattr(value, "dtype"):  # of an array, "float" would drop the imaginary part
            return float(cast("float", value))
        if _is_raw(value):
            return float(to_array(cast("ArrayLike", value)).item())
    except (TypeError, ValueError, RuntimeError):
        pass  # DataError included: the whole value is named below
    hint = "" if isinstance(value, (str, bytes)) else tr("; reduce it first, for example with .mean()")
    raise DataError(
        "a scalar must be one real number, got {value}{hint}", value=describe(value), hint=hint
    ) from None


def to_array(value: ArrayLike, *, copy: bool = False, order: Literal["C", "F"] = "C") -> AnyArray:
    """Convert ``value`` to a NumPy array on the host.

    Args:
        value: an array, a tensor of any framework (on any device, with or without gradient, sparse or not),
            or nested sequences of numbers. bfloat16 and float8 become float32, a masked value NaN, and
            decimals, fractions and other objects that are numbers float64.
        copy: True for a result that shares no memory with ``value``.
        order: memory layout of a copy; "F" for arrays that are read by column.

    Raises:
        DataError: ``value`` holds no numbers (text, objects, ragged lists).
    """
    if isinstance(value, _Masked):
        fresh = bool(np.ma.is_masked(value))
        array = value.data
        if fresh:
            floats = value.dtype if value.dtype.kind in "fc" else np.float64
            array = np.where(np.ma.getmaskarray(value), np.nan, value.data).astype(floats)
    elif isinstance(value, np.ndarray):
        array = value
        fresh = False
    else:
        array, fresh = _from_foreign(value)
    if array.dtype.kind not in "biufc":
        numbers = _from_objects(array) if array.dtype == object else None
        if numbers is None and _is_raw(array):  # NumPy extension types of ml_dtypes
            numbers = array.astype(np.float32)
        if numbers is None:
            raise DataError("expected an array of numbers, got {value}", value=describe(value))
        array, fresh = numbers, True
    return array.copy(order) if copy and not fresh else array


def shape_of(value: object) -> list[int]:
    """The shape of an array or tensor, or of nested lists; reads nothing of a tensor."""
    shape = getattr(value, "shape", None)
    return [int(side) for side in (np.asarray(value).shape if shape is None else shape)]


def dtype_of(value: object) -> str:
    """The name of the type of an array's or a tensor's elements, such as ``float32``."""
    dtype = getattr(value, "dtype", None)
    return str(np.asarray(value).dtype if dtype is None else dtype).rpartition(".")[2]


def to_view(value: ArrayLike) -> AnyArray | None:
    """Return the values of an array, or of a tensor on the host, without copying them; else None.

    They are to be read before the tensor changes.
    """
    if isinstance(value, np.ndarray):
        return value
    if not hasattr(value, "__dlpack__"):
        return None
    try:
        return np.from_dlpack(value.detach() if hasattr(value, "detach") else value)  # type: ignore[arg-type]
    except (BufferError, RuntimeError, TypeError):  # on a device, or bfloat16
        return None


def to_real(value: ArrayLike, name: str) -> AnyArray:
    """Convert ``value``, as `to_array` does, to a plain array of real numbers.

    Raises:
        DataError: ``value`` holds no numbers, or complex ones.
    """
    array = np.asarray(to_array(value))  # asarray: a matrix would never become flat
    if array.dtype.kind == "c":
        raise DataError("{name} must be real numbers, got {value}", name=name, value=describe(value))
    return array


def _is_raw(value: object) -> bool:
    """True for arrays and tensors of the types that NumPy has not, which hold bits to it."""
    return dtype_of(value).startswith(("bfloat16", "float8"))


def _from_objects(array: AnyArray) -> AnyArray | None:
    """The numbers of an array of objects; None if some are none."""
    objects = array.ravel().tolist()
    if not all(isinstance(each, (Real, Decimal)) for each in objects):
        return None
    numbers = np.array(objects).reshape(array.shape)
    return numbers.astype(np.float64) if numbers.dtype == object else numbers


def _hold_tensors(values: Sequence[object]) -> bool:
    """True if there are tensors in nested lists."""
    for _ in range(_MOST_AXES):
        kinds = set(map(type, values))
        if not kinds <= {list, tuple}:
            return any(hasattr(kind, "numpy") for kind in kinds)
        values = list(itertools.chain.from_iterable(cast("Sequence[Sequence[object]]", values)))
    return False


def _without_tensors(values: object) -> object:
    """Nested lists with arrays in place of tensors, of which NumPy itself may take the raw bits."""
    if isinstance(values, (list, tuple)):
        return [_without_tensors(each) for each in values]
    return to_array(cast("ArrayLike", values)) if hasattr(values, "numpy") else values


def _from_foreign(value: ArrayLike) -> tuple[AnyArray, bool]:
    """Return the array, and True if it certainly shares no memory with ``value``."""
    sparse = getattr(value, "is_sparse", False)
    if sparse and (not callable(sparse) or sparse()):  # its .numpy() would end the process, or raise
        value = value.to_dense()  # type: ignore[union-attr]
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "numpy"):
        if _is_raw(value):
            # Paddle's .numpy() would give these as their raw bits, torch's would raise.
            value = (
                value.astype("float32") if hasattr(value, "astype") else value.float()  # type: ignore[union-attr]
            )
        if hasattr(value, "cpu"):
            value = value.cpu()
        array = value.numpy()
        # Paddle copies into a fresh buffer; torch shares its own.
        return np.asarray(array), type(value).__module__.startswith("paddle")
    try:
        if isinstance(value, (list, tuple)):
            return np.asarray(_without_tensors(value) if _hold_tensors(value) else value), True
        return np.asarray(value), False
    except ValueError:
        raise DataError(
            "expected an array of numbers, got {type} with parts of unequal length", type=type(value).__name__
        ) from None
