"""Options that the command, the function and the pages share, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DEFAULT_SAMPLES", "HparamMetrics", "ServeOptions"]

DEFAULT_SAMPLES = 10_000
"""Points of one chart; its curves share them."""

HparamMetrics = Literal["last", "best"]


@dataclass(frozen=True)
class ServeOptions:
    """How runs are shown.

    Attributes:
        samples: points of one chart; its curves share them.
        hparam_metrics: show last or best values in the table of hyper-parameters.
        model: a model file for the page of static graphs.
    """

    samples: int = DEFAULT_SAMPLES
    hparam_metrics: HparamMetrics = "last"
    model: str | None = None
