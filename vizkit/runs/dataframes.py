"""Columns and rows as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from vizkit.metrics.arrays import AnyArray, Ints
from vizkit.reading import Scalars

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rows_frame", "scalars_frame", "times"]

_Names = TypeVar("_Names", bound=tuple[str, ...])

_LAST = 253402300799999  # the end of the year 9999, in milliseconds: pandas shows no later time


def times(walltimes: Ints) -> pd.DatetimeIndex:
    """Milliseconds since 1970 as pandas' times in UTC; impossible ones become NaT."""
    import pandas as pd

    moments = walltimes.astype("datetime64[ms]")
    wrong = (walltimes < 0) | (walltimes > _LAST)
    if wrong.any():
        moments[wrong] = np.datetime64("NaT")
    return pd.DatetimeIndex(moments).tz_localize("UTC")


def scalars_frame(parts: Mapping[_Names, Scalars], labels: Sequence[str]) -> pd.DataFrame:
    """Several scalar tags one below the other.

    Args:
        parts: names of a part (one for each of ``labels``) -> its columns.
        labels: names of the categorical columns that these become, such as ``("run", "tag")``.

    Returns:
        Columns: the labels, ``step``, ``time`` (UTC) and ``value``.
    """
    import pandas as pd

    every = list(parts.values())
    lengths = [len(columns.values) for columns in every]
    found: dict[str, object] = {}
    for index, label in enumerate(labels):
        names = [key[index] for key in parts]
        place = {name: code for code, name in enumerate(dict.fromkeys(names))}
        codes = np.repeat(np.array([place[name] for name in names], dtype=np.int64), lengths)
        found[label] = pd.Categorical.from_codes(codes, categories=pd.Index(list(place), dtype=object))
    found["step"] = _joined([columns.steps for columns in every], np.int64)
    found["time"] = times(_joined([columns.walltimes for columns in every], np.int64))
    found["value"] = _joined([columns.values for columns in every], np.float64)
    return pd.DataFrame(found)


def _joined(arrays: Sequence[AnyArray], dtype: type[np.generic]) -> AnyArray:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype)


def rows_frame(rows: Mapping[str, Mapping[str, Any]], name: str) -> pd.DataFrame:
    """One row for each of ``rows``; the columns are the union of theirs.

    Whole numbers stay whole and bools stay bools where a row lacks them.
    """
    import pandas as pd

    columns = dict.fromkeys(column for row in rows.values() for column in row)
    index = pd.Index(list(rows), name=name, dtype=object)
    return pd.DataFrame(
        {column: _series([row.get(column) for row in rows.values()], index) for column in columns},
        index=index,
    )


def _series(values: list[Any], index: pd.Index) -> pd.Series:
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    if None in values and kinds == {bool}:
        return pd.Series(values, index, dtype="boolean")
    if None in values and kinds == {int} and all(v is None or -(2**63) <= v < 2**63 for v in values):
        return pd.Series(values, index, dtype="Int64")
    if kinds <= {int, float} and float in kinds:
        return pd.Series(values, index, dtype="float64")
    if len(kinds) == 1 and kinds & {str, list, dict, tuple}:
        return pd.Series(values, index, dtype=object)
    return pd.Series(values, index) if len(kinds) == 1 else pd.Series(values, index, dtype=object)
