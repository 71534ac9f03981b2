"""Binary answers: a JSON head, and arrays behind it."""

from __future__ import annotations

from collections.abc import Sequence
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

    def add_all(self, arrays: Sequence[AnyArray]) -> list[Array]:
        """Append arrays of the same kind, as of `Body.add_all`."""
        return cast("list[Array]", self._body.add_all(arrays))

    def add_drawn(self, windows: Sequence[Points | Columns]) -> list[dict[str, Array]]:
        """Append the arrays of windows; those that count odd values only if there are some."""
        found: list[dict[str, Array]] = [{} for _ in windows]
        for kind in (Points, Columns):
            some = [number for number, drawn in enumerate(windows) if isinstance(drawn, kind)]
            for name in kind._fields:
                arrays = {number: getattr(windows[number], name) for number in some}
                if name in ("nan", "above", "below"):
                    arrays = {number: array for number, array in arrays.items() if array.any()}
                for number, place in zip(arrays, self.add_all([*arrays.values()]), strict=True):
                    found[number][name] = place
        return found

    def behind(self, head: object) -> bytes:
        """The body of the answer."""
        return self._body.behind(orjson.dumps(head))


def number(value: float) -> float | str:
    """A number of a JSON answer; a text for those that JSON lacks."""
    return value if np.isfinite(value) else str(float(value))
