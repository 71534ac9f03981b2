"""Binary answers: a JSON head, and arrays behind it."""

from __future__ import annotations

import numpy as np
import orjson

from vizkit.curves.windows import Columns, Points
from vizkit.metrics.arrays import AnyArray
from vizkit.server.workspace.api.answers import Array

__all__ = ["ARRAYS", "Arrays", "number"]

ARRAYS = "application/octet-stream"
"""The media type of binary answers."""


class Arrays:
    """The arrays of an answer."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, array: AnyArray) -> Array:
        """Append an array: float64, or uint32 of whole numbers."""
        whole = array.dtype.kind in "iu"
        data = np.ascontiguousarray(array, dtype="<u4" if whole else "<f8").tobytes()
        place = Array(type="uint32" if whole else "float64", offset=self._size, count=len(array))
        data += bytes(-len(data) % 8)
        self._parts.append(data)
        self._size += len(data)
        return place

    def add_drawn(self, drawn: Points | Columns) -> dict[str, Array]:
        """Append the arrays of a window; those that count odd values only if there are some."""
        return {
            name: self.add(array)
            for name, array in drawn._asdict().items()
            if name not in ("nan", "above", "below") or array.any()
        }

    def behind(self, head: object) -> bytes:
        """The body of the answer: the head's length, the head, and the arrays, at a multiple of 8 bytes."""
        text = orjson.dumps(head)
        text += b" " * (-(len(text) + 4) % 8)
        return b"".join([len(text).to_bytes(4, "little"), text, *self._parts])


def number(value: float) -> float | str:
    """A number of a JSON answer; a text for those that JSON lacks."""
    return value if np.isfinite(value) else str(float(value))
