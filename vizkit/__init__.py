"""Experiment tracking and visualization for PaddlePaddle, built on VisualDL.

Nothing heavy is imported before it is used: ``import vizkit`` is cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vizkit.errors import (
    ClosedError,
    DataError,
    LogNotFoundError,
    MissingDependencyError,
    QueryError,
    RunExistsError,
    ServeError,
    TagError,
    UnknownNameError,
    VizKitError,
    VizKitWarning,
)

if TYPE_CHECKING:
    from vizkit.hooks.autolog import autolog
    from vizkit.notebook import live, load_ipython_extension
    from vizkit.runs import Run, Runs, load
    from vizkit.serve.server import serve
    from vizkit.tracker import Tracker
    from vizkit.writer import LogWriter

__all__ = [
    "ClosedError",
    "DataError",
    "LogNotFoundError",
    "LogWriter",
    "MissingDependencyError",
    "QueryError",
    "Run",
    "RunExistsError",
    "Runs",
    "ServeError",
    "TagError",
    "Tracker",
    "UnknownNameError",
    "VizKitError",
    "VizKitWarning",
    "autolog",
    "live",
    "load",
    "load_ipython_extension",
    "serve",
]

__version__ = "0.1.0"

_LAZY = {
    "LogWriter": "vizkit.writer",
    "Run": "vizkit.runs",
    "Runs": "vizkit.runs",
    "Tracker": "vizkit.tracker",
    "autolog": "vizkit.hooks.autolog",
    "live": "vizkit.notebook",
    "load": "vizkit.runs",
    "load_ipython_extension": "vizkit.notebook",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
        return value
    if name == "serve":  # a package that can be called
        return importlib.import_module("vizkit.serve")
    raise AttributeError(f"module 'vizkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
