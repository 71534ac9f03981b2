"""Figures of runs, with matplotlib: each function is a data step, which is tested, and a draw step.

All take ``ax=`` and give back what they drew as a `Plot`, which a notebook shows. matplotlib's styles,
settings and current figure stay as they are; it is imported when the first plot is drawn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vizkit.plots._base import Plot
    from vizkit.plots.calibration import reliability
    from vizkit.plots.confusion import confusion_matrix
    from vizkit.plots.examples import input_output
    from vizkit.plots.histograms import histogram
    from vizkit.plots.importances import importance
    from vizkit.plots.parallel import parallel_coordinates
    from vizkit.plots.pictures import images
    from vizkit.plots.races import time_to
    from vizkit.plots.rates import pr_curve, roc_curve
    from vizkit.plots.scalars import curves
    from vizkit.plots.scatter import scatter_matrix

__all__ = [
    "Plot",
    "confusion_matrix",
    "curves",
    "histogram",
    "images",
    "importance",
    "input_output",
    "parallel_coordinates",
    "pr_curve",
    "reliability",
    "roc_curve",
    "scatter_matrix",
    "time_to",
]

_MODULES = {  # none is called as a function is: the one would hide the other
    "Plot": "_base",
    "confusion_matrix": "confusion",
    "curves": "scalars",
    "histogram": "histograms",
    "images": "pictures",
    "importance": "importances",
    "input_output": "examples",
    "parallel_coordinates": "parallel",
    "pr_curve": "rates",
    "reliability": "calibration",
    "roc_curve": "rates",
    "scatter_matrix": "scatter",
    "time_to": "races",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        module = importlib.import_module(f"vizkit.plots.{_MODULES[name]}")
        value = globals()[name] = getattr(module, name)
        return value
    raise AttributeError(f"module 'vizkit.plots' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
