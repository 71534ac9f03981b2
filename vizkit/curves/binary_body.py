"""Binary answers: a JSON head, and arrays behind it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vizkit.metrics.arrays import AnyArray

__all__ = ["Body"]

_FEW = 64  # numbers that tell of most arrays that they need float64


class Body:
    """The arrays of an answer. An array that is added again, as curves share their x, is there once."""

    def __init__(self) -> None:
        self._parts: list[bytes | memoryview] = []
        self._size = 0
        self._known: dict[int, tuple[AnyArray, dict[str, object]]] = {}  # arrays stay, and so do their ids

    def add(self, array: AnyArray) -> dict[str, object]:
        """Append an array of numbers in the smallest form that has the same ones; return its place.

        Whole numbers are uint32; others a ramp (``start + step * place``, no bytes), float32 or float64.
        """
        return self.add_all([array])[0]

    def add_all(self, arrays: Sequence[AnyArray]) -> list[dict[str, object]]:
        """`add` arrays of the same kind, all of them as float64 if one has to be."""
        new = {id(array): array for array in arrays if id(array) not in self._known}
        some = []
        for key, array in new.items():
            if ramp := _ramp(array):
                self._known[key] = array, ramp
            else:
                some.append(array)
        if some:
            values = np.concatenate(some) if len(some) > 1 else np.array(some[0])
            name, values = _shortest(values)
            start = self.append(values.data)
            for array in some:
                place = {"type": name, "offset": start, "count": len(array)}
                self._known[id(array)] = array, place
                start += len(array) * values.itemsize
        return [self._known[id(array)][1] for array in arrays]

    def append(self, data: bytes | memoryview) -> int:
        """Append the bytes of an array; return their place behind the head."""
        place, size = self._size, memoryview(data).nbytes
        self._parts += [data, bytes(-size % 8)]
        self._size += size + -size % 8
        return place

    def behind(self, head: bytes) -> bytes:
        """The whole answer: the head's length, the head, and the arrays, at a multiple of 8 bytes."""
        head += b" " * (-(len(head) + 4) % 8)
        return b"".join([len(head).to_bytes(4, "little"), head, *self._parts])


def _ramp(array: AnyArray) -> dict[str, object] | None:
    """The place of floating-point values at even distances; None if they are others."""
    count = len(array)
    if count < 3 or array.dtype.kind in "iu":
        return None
    start, step = float(array[0]), float(array[1] - array[0])
    end = start + step * (count - 1)
    if array[-1] != end or not np.array_equal(start + step * np.arange(count), array):
        return None
    return {"type": "ramp", "offset": 0, "count": count, "start": start, "step": step}


def _shortest(values: AnyArray) -> tuple[str, AnyArray]:
    """The smallest type that holds all values, and these in it."""
    if values.dtype.kind in "iu":
        return "uint32", values.astype("<u4")
    values = values.astype("<f8", copy=False)
    with np.errstate(over="ignore"):
        for part in (values[:_FEW], values):
            short = part.astype("<f4")
            if not np.array_equal(short, part, equal_nan=True):
                return "float64", values
    return "float32", short
