"""Binary answers: a JSON head, and arrays behind it."""

from __future__ import annotations

from typing import cast

import numpy as np
import orjson

from vizkit.curves.binary_body import Body
from vizkit.curves.windows import Columns, Points
from vizkit.metrics.arrays import AnyArray
from vizkit.server.workspace.api.answer_types import Array

__all__ = ["ARRAYS", "Arrays", "number"]

ARRAYS = "application/octet-stream"
"""The media type of binary answers."""


class Arrays:
    """The arrays of an answer."""

    def __init__(self) -> None:
        self._body = Body()

    def add(self, array: AnyArray) -> Array:
        """Append an array, as of `Body.add`."""
        return cast("Array", self._body.add(array))

    def add_drawn(self, drawn: Points | Columns) -> dict[str, Array]:
        """Append the arrays of a window; those that count odd values only if there are some."""
        return {
            name: self.add(array)
            for name, array in zip(drawn._fields, drawn, strict=True)
            if name not in ("nan", "above", "below") or array.any()
        }

    def behind(self, head: object) -> bytes:
        """The body of the answer."""
        return self._body.behind(orjson.dumps(head))


def number(value: float) -> float | str:
    """A number of a JSON answer; a text for those that JSON lacks."""
    return value if np.isfinite(value) else str(float(value))
