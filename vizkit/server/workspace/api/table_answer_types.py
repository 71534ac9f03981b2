"""The types of answers about tables."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

__all__ = [
    "ColumnHead",
    "PairsAnswer",
    "RowGroupRecord",
    "RowGroupsAnswer",
    "RowPointsAnswer",
    "RowsAnswer",
    "SampleAnswer",
    "SampleRow",
    "SampleValue",
    "TableRecord",
    "TablesAnswer",
]

SampleValue = str | float | bool | None
"""A value of a row; null for none and NaN, ``"inf"`` and ``"-inf"`` for infinities, a digest for an input.

The digest of an image with layers has a space and the digest of these behind it.
"""

ColumnKind = Literal["whole", "number", "bool", "text", "category", "input"]


class TableRecord(TypedDict):
    """The tables of a name in a run."""

    run: str
    table: str
    steps: list[float]


class TablesAnswer(TypedDict):
    """The tables of runs."""

    tables: list[TableRecord]
    more: Annotated[int, "runs that were not looked at"]


class ColumnHead(TypedDict):
    """A column of a table."""

    name: str
    kind: Annotated[ColumnKind, "`input` is an image or a text that is stored once"]


class PairsAnswer(TypedDict):
    """The samples of two runs, counted; null where rows do not tell whether they are correct."""

    mended: int | None
    broken: int | None
    both_wrong: int | None
    both_right: int | None
    only_a: Annotated[int, "rows of the first table whose id the second lacks"]
    only_b: int
    repeated: Annotated[int, "rows that are left out since their id comes twice"]
    unnamed: Annotated[int, "rows that are left out since they have no id"]
    verdict: Annotated[str, "a sentence on which run is better, as of `Runs.diff_samples`; empty if none"]


class RowsAnswer(TypedDict):
    """Rows of a table."""

    run: str
    table: str
    step: float
    steps: Annotated[list[float], "of all tables of this name"]
    other_step: Annotated[float | None, "of the second run's table"]
    total: Annotated[int, "rows of the table"]
    found: Annotated[int, "rows that the expression selects"]
    columns: list[ColumnHead]
    rows: Annotated[list[list[SampleValue]], "a value for each column"]
    places: Annotated[list[int], "places of the rows in the table"]
    images: Annotated[dict[str, str], "digests of images and layers -> the run that has it, for `input`"]
    texts: Annotated[dict[str, str], "digests of texts -> their beginnings"]
    pairs: Annotated[PairsAnswer | None, "with a second run"]


class RowGroupRecord(TypedDict):
    """A group of rows."""

    values: Annotated[list[SampleValue], "of the columns; a bin of numbers is a text"]
    where: Annotated[str, "an expression that selects its rows"]
    n: int
    correct: Annotated[float | None, "share of the rows that are correct"]
    loss: Annotated[float | None, "mean of the column loss"]


class RowGroupsAnswer(TypedDict):
    """Groups of rows, in the order of their values."""

    groups: list[RowGroupRecord]
    more: Annotated[int, "groups that are left out"]


class RowPointsAnswer(TypedDict):
    """Rows as points of a plane, 5,000 at most."""

    found: Annotated[int, "rows that the expression selects and that have both numbers"]
    x: list[float]
    y: list[float]
    ids: list[SampleValue]
    groups: Annotated[list[int], "of each point, the place of its label in `names`"]
    names: Annotated[list[SampleValue], "labels; empty if the table has none"]
    colors: list[str]
    inputs: Annotated[list[SampleValue], "the first image or text of each row, as of rows; empty without any"]
    images: Annotated[dict[str, str], "as of rows"]


class SampleRow(TypedDict):
    """A sample in one table."""

    run: str
    step: float
    cells: dict[str, SampleValue]


class SampleAnswer(TypedDict):
    """A sample over steps and runs."""

    rows: list[SampleRow]
    images: Annotated[dict[str, str], "as of rows"]
    texts: dict[str, str]
    complete: Annotated[bool, "false: not all tables were looked at"]
