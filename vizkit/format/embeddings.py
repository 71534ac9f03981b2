"""Embeddings from the arrays and labels of a caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import cast

import numpy as np

from vizkit._checks import describe, text_of
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.format.types import Embeddings
from vizkit.metrics.arrays import to_array

__all__ = ["checked_embeddings"]


def checked_embeddings(
    mat: ArrayLike | None, metadata: Iterable[object] | None = None, header: Sequence[str] | None = None
) -> Embeddings:
    """Check vectors and their labels, and bring them into the shape of a record.

    Args:
        mat: (n, d) real numbers, one vector per row.
        metadata: n labels, or several columns of n labels each, or n rows of several labels, where these
            are not n, too; row numbers by default.
        header: names of the columns.

    Raises:
        DataError: ``mat`` is not a matrix, a column does not have one label per vector, or the header
            does not match the number of columns.
    """
    if mat is None:
        raise DataError("embeddings need mat, a matrix of one vector per row")
    vectors = to_array(mat)
    if vectors.ndim != 2 or 0 in vectors.shape or vectors.dtype.kind == "c":
        raise DataError(
            "embeddings need a matrix of real numbers, one vector per row, got {vectors}",
            vectors=describe(vectors),
        )
    count = len(vectors)
    given = range(count) if metadata is None else metadata
    labels: list[object] = given.tolist() if hasattr(given, "tolist") else list(given)
    several = bool(labels) and isinstance(labels[0], (list, tuple))
    columns = cast("list[list[object]]", labels) if several else [labels]
    if (
        several and len(columns) == count and {len(row) for row in columns} != {count}
    ):  # as TensorBoard has it
        with suppress(ValueError):  # unequal rows, which are refused below
            columns = [list(column) for column in zip(*columns, strict=True)]
    for column in columns:
        if len(column) != count:
            raise DataError(
                "{count} vectors have {n} labels: give one label per vector, or none at all",
                count=count,
                n=len(column),
            )
    names = [text_of(name) for name in header] if header is not None else []
    if len(columns) > 1 and not names:
        names = [f"label_{index}" for index in range(len(columns))]
    if names and len(names) != len(columns):
        raise DataError(
            "metadata_header names {names} columns, metadata has {columns}",
            names=len(names),
            columns=len(columns),
        )
    rows = [[text_of(column[index]) for column in columns] for index in range(count)]
    return Embeddings(vectors.astype(np.float32, copy=False), rows, names)
