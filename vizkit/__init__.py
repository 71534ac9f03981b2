"""Experiment tracking and visualization for PaddlePaddle, built on VisualDL.

Nothing heavy is imported before it is used: ``import vizkit`` is cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vizkit.errors import (
    ClosedError,
    DataError,
    MissingDependencyError,
    RunExistsError,
    TagError,
    VizKitError,
    VizKitWarning,
)

if TYPE_CHECKING:
    from vizkit.hooks.autolog import autolog
    from vizkit.tracker import Tracker
    from vizkit.writer import LogWriter

__all__ = [
    "ClosedError",
    "DataError",
    "LogWriter",
    "MissingDependencyError",
    "RunExistsError",
    "TagError",
    "Tracker",
    "VizKitError",
    "VizKitWarning",
    "autolog",
]

__version__ = "0.1.0"

_LAZY = {"LogWriter": "vizkit.writer", "Tracker": "vizkit.tracker", "autolog": "vizkit.hooks.autolog"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
        return value
    raise AttributeError(f"module 'vizkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
