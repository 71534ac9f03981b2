"""Cells of tables as JSON has them."""

from __future__ import annotations

import numpy as np

from vizkit.format.tables import References, TableColumn, Texts
from vizkit.metrics.arrays import AnyArray, Ints
from vizkit.server.workspace.api.table_answer_types import SampleValue

__all__ = ["cell_of", "cells_of", "finite"]

_MOST_CELL = 1000  # characters


def cells_of(column: TableColumn, places: Ints) -> list[SampleValue]:
    """The cells of a column in some rows; images and texts by their digests."""
    if isinstance(column, Texts):
        texts = column[places].to_array().tolist()
        return [None if text is None else text[:_MOST_CELL] for text in texts]
    if isinstance(column, References):
        some = column[places]
        over = np.zeros(len(some), np.uint64) if some.layers is None else some.layers
        pairs = zip(some.digests.tolist(), over.tolist(), strict=True)
        named = [f"{digest} {layers}" if layers else str(digest) for digest, layers in pairs]
        return [name if digest else None for name, digest in zip(named, some.digests.tolist(), strict=True)]
    return [cell_of(value) for value in _shortest(column[places])]


def _shortest(values: AnyArray) -> list[object]:
    """Numbers as Python's, of float32 with no more digits than it has."""
    if values.dtype == np.float32:
        return [float(str(value)) for value in values]
    found: list[object] = values.tolist()
    return found


def cell_of(value: object) -> SampleValue:
    """A value as JSON has it: NaN as null, bins and what else JSON lacks as texts."""
    if isinstance(value, tuple):  # a bin
        least, end = value
        return f"≥ {least:g}" if end is None else f"{least:g} – {end:g}"
    if isinstance(value, float):
        return value if np.isfinite(value) else None if value != value else "inf" if value > 0 else "-inf"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)  # with all its digits
    return value if isinstance(value, (str, int, bool)) else None


def finite(value: float | None) -> float | None:
    """A number, or None if it is not finite."""
    return value if value is not None and np.isfinite(value) else None
