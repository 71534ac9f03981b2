"""Binary answers: a JSON head, and arrays behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np

from vizkit.metrics.arrays import AnyArray

__all__ = ["Body"]

_FEW = 64  # numbers that tell of most arrays that they need float64
_NAMES = {"<u4": "uint32", "<f4": "float32", "<f8": "float64"}


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
            kind, start = _shortest(some), self._size
            for array in some:
                values = np.ascontiguousarray(array, kind)
                self._known[id(array)] = array, {"type": _NAMES[kind], "offset": start, "count": len(array)}
                self._parts.append(values.data)
                start += values.nbytes
            self._parts.append(bytes(-start % 8))
            self._size = start + -start % 8
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
    start, second, last = float(array.item(0)), float(array.item(1)), float(array.item(-1))
    step = second - start
    if not math.isfinite(last) or last != start + step * (count - 1):
        return None
    if not np.array_equal(start + step * np.arange(count), array):
        return None
    return {"type": "ramp", "offset": 0, "count": count, "start": start, "step": step}


def _shortest(arrays: Sequence[AnyArray]) -> str:
    """The smallest type that holds all values."""
    if all(array.dtype.kind in "iu" for array in arrays):
        return "<u4"
    with np.errstate(over="ignore"):
        for array in chain((array[:_FEW] for array in arrays), arrays):
            if not np.array_equal(array.astype("<f4"), array, equal_nan=True):
                return "<f8"
    return "<f4"
