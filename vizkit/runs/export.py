"""Export of runs as CSV, JSON and Parquet."""

from __future__ import annotations

import json
import math
import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from vizkit._language import Message, english, tr
from vizkit.errors import MissingDependencyError
from vizkit.format.walltime import time_list
from vizkit.runs.details import in_short

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.run import Run

__all__ = [
    "BOM",
    "Exported",
    "as_data",
    "frame_to_csv",
    "frame_to_parquet",
    "plain",
    "to_json",
    "without_formula",
]

BOM = "\ufeff"
"""A byte order mark: the begin of a CSV file by which Excel knows UTF-8."""

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)


class Exported(ABC):
    """A run, or several, whose `scalars` can be exported."""

    @abstractmethod
    def scalars(self) -> pd.DataFrame:
        """All scalars, one tag below the other."""

    @abstractmethod
    def _as_data(self) -> object:
        """The content of `to_json`."""

    @overload
    def to_csv(self, path: None = None, *, escape_formulas: bool = False, bom: bool = False) -> str: ...
    @overload
    def to_csv(
        self, path: str | os.PathLike[str], *, escape_formulas: bool = False, bom: bool = False
    ) -> None: ...
    def to_csv(
        self, path: str | os.PathLike[str] | None = None, *, escape_formulas: bool = False, bom: bool = False
    ) -> str | None:
        """Export the frame of `scalars` as CSV, into a file or returned as text; NaN is ``NaN``.

        Args:
            path: the file; None returns the text.
            escape_formulas: put ``'`` before names that a spreadsheet would run as formulas: those that
                begin with ``=``, ``+``, ``-``, ``@``, a tab or a line break, and are no numbers.
            bom: begin with a byte order mark, by which Excel knows UTF-8 and reads names such as 学习率
                right. pandas skips it; other programs take it for a part of the first column's name.
        """
        return frame_to_csv(self.scalars(), path, escape_formulas=escape_formulas, bom=bom)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Export the frame of `scalars` into a Parquet file.

        Raises:
            MissingDependencyError: pyarrow is missing.
        """
        frame_to_parquet(self.scalars(), path)

    @overload
    def to_json(self, path: None = None) -> str: ...
    @overload
    def to_json(self, path: str | os.PathLike[str]) -> None: ...
    def to_json(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Export hyper-parameters, status and all scalars as JSON, into a file or returned as text.

        Several runs become a list. JSON has no NaN: it becomes ``"NaN"``, and infinities ``"Infinity"`` and
        ``"-Infinity"``.
        """
        return to_json(self._as_data(), path)


def frame_to_csv(
    frame: pd.DataFrame,
    path: str | os.PathLike[str] | None,
    *,
    escape_formulas: bool = False,
    bom: bool = False,
) -> str | None:
    """Write a frame as CSV, or return it as text; the options are as of `Exported.to_csv`."""
    if escape_formulas:
        frame = frame.rename(columns=without_formula)
        for name, column in frame.items():
            if not hasattr(column.dtype, "kind") or column.dtype.kind not in "biufM":
                frame[name] = column.map({each: without_formula(each) for each in column.unique()})
    text: str = frame.to_csv(None, index=False, na_rep="NaN", lineterminator="\n")
    return _written(BOM + text if bom else text, path)


def frame_to_parquet(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a frame into a Parquet file.

    Raises:
        MissingDependencyError: pyarrow is missing.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError.for_extra(
            "parquet", tr("Parquet files need pyarrow"), tr("or export with to_csv")
        ) from error
    frame.to_parquet(path, index=False, engine="pyarrow")


def without_formula(cell: object) -> object:
    """A cell of a table; text that a spreadsheet would run as a formula begins with ``'``."""
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def as_data(run: Run) -> dict[str, Any]:
    """A run as dicts, lists, texts and numbers; walltimes in milliseconds since 1970, or None."""
    scalars = {}
    for tag in run.scalar_tags:
        columns = run.columns(tag)
        scalars[tag] = {**columns._asdict(), "walltimes": time_list(columns.walltimes)}
    return {**in_short(run), "metrics": run.metrics, "scalars": scalars}


def plain(value: object) -> object:
    """A value as JSON has it: arrays as lists; NaN and infinities, which JSON lacks, as texts; English."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            return [plain(number) for number in value.tolist()]
        return value.tolist()
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return english(value) if isinstance(value, Message) else value


def to_json(data: object, path: str | os.PathLike[str] | None) -> str | None:
    """Export data as JSON, into a file or returned as text."""
    # Half surrogates, which UTF-8 cannot hold, stay readable when escaped.
    text = json.dumps(plain(data), ensure_ascii=False, allow_nan=False, default=str)
    return _written(text + "\n", path)


def _written(text: str, path: str | os.PathLike[str] | None) -> str | None:
    if path is None:
        return text
    Path(path).write_bytes(text.encode("utf-8", "backslashreplace"))
    return None
