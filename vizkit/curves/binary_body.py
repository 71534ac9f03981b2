"""Binary answers: a JSON head, and arrays behind it."""

from __future__ import annotations

import numpy as np

from vizkit.metrics.arrays import AnyArray

__all__ = ["Body"]


class Body:
    """The arrays of an answer."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, array: AnyArray) -> dict[str, object]:
        """Append an array of numbers in the smallest form that has the same ones; return its place.

        Whole numbers are uint32; others a ramp (``start + step * place``, no bytes), float32 or float64.
        """
        values = np.asarray(array)
        count = len(values)
        if values.dtype.kind in "iu":
            return {"type": "uint32", "offset": self.append(values.astype("<u4").tobytes()), "count": count}
        values = values.astype(np.float64, copy=False)
        if count > 2:
            start, step = float(values[0]), float(values[1] - values[0])
            end = start + step * (count - 1)
            if values[-1] == end and np.array_equal(start + step * np.arange(count), values):
                return {"type": "ramp", "offset": 0, "count": count, "start": start, "step": step}
        with np.errstate(over="ignore"):
            short = values.astype("<f4")
        if np.array_equal(short, values, equal_nan=True):
            return {"type": "float32", "offset": self.append(short.tobytes()), "count": count}
        return {"type": "float64", "offset": self.append(values.astype("<f8").tobytes()), "count": count}

    def append(self, data: bytes) -> int:
        """Append the bytes of an array; return their place behind the head."""
        place = self._size
        data += bytes(-len(data) % 8)
        self._parts.append(data)
        self._size += len(data)
        return place

    def behind(self, head: bytes) -> bytes:
        """The whole answer: the head's length, the head, and the arrays, at a multiple of 8 bytes."""
        head += b" " * (-(len(head) + 4) % 8)
        return b"".join([len(head).to_bytes(4, "little"), head, *self._parts])
