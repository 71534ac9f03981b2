"""Runs as files of other tools."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit.errors import MissingDependencyError

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.run import Run

__all__ = ["as_data", "plain", "to_csv", "to_json", "to_parquet"]


def as_data(run: Run) -> dict[str, Any]:
    """A run as dicts, lists, texts and numbers; walltimes in milliseconds since 1970."""
    return {
        "name": run.name,
        "display_name": run.display_name,
        "directory": run.directory,
        "status": run.status,
        "started": None if run.started is None else run.started.isoformat(),
        "ended": None if run.ended is None else run.ended.isoformat(),
        "duration": None if run.duration is None else run.duration.total_seconds(),
        "hparams": run.hparams,
        "metrics": run.metrics,
        "scalars": {tag: run.columns(tag)._asdict() for tag in run.scalar_tags},
    }


def plain(value: Any) -> Any:
    """``value`` as JSON has it: arrays as lists; NaN and infinities, which it has not, as texts."""
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
    return value


def to_json(data: Any, path: str | os.PathLike[str] | None) -> str | None:
    """``data`` as JSON, into a file or returned as text."""
    # Half surrogates, which UTF-8 cannot hold, stay readable when escaped.
    text = json.dumps(plain(data), ensure_ascii=False, allow_nan=False, default=str)
    return _written(text + "\n", path)


def to_csv(frame: pd.DataFrame, path: str | os.PathLike[str] | None) -> str | None:
    """A frame as CSV without its index, into a file or returned as text; NaN is written ``NaN``."""
    text: str = frame.to_csv(None, index=False, na_rep="NaN", lineterminator="\n")
    return _written(text, path)


def _written(text: str, path: str | os.PathLike[str] | None) -> str | None:
    if path is None:
        return text
    Path(path).write_bytes(text.encode("utf-8", "backslashreplace"))
    return None


def to_parquet(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """A frame into a Parquet file, without its index.

    Raises:
        MissingDependencyError: pyarrow is missing.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            'Parquet files need pyarrow: pip install "vizkit[parquet]" (or export with to_csv)'
        ) from error
    frame.to_parquet(path, index=False, engine="pyarrow")
