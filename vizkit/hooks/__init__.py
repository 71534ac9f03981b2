"""Hooks into Paddle's trainings; the only package of VizKit that imports Paddle.

`callback` is for ``paddle.Model``, `watch` for a loop of one's own, `log_model` saves a network,
`vizkit.autolog` is for code that is left as it is, and `steering` changes a training's course. Paddle is
imported when one of them is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vizkit.hooks.distributed import from_rank_0, reduced
    from vizkit.hooks.explaining import explain
    from vizkit.hooks.hapi import callback
    from vizkit.hooks.layers import summary
    from vizkit.hooks.saving import log_model
    from vizkit.hooks.steering import EarlyStop, HalveOnPlateau, Pace, ValidateEvery
    from vizkit.hooks.watching import Watch, watch

__all__ = [
    "EarlyStop",
    "HalveOnPlateau",
    "Pace",
    "ValidateEvery",
    "Watch",
    "callback",
    "explain",
    "from_rank_0",
    "log_model",
    "reduced",
    "summary",
    "watch",
]

_LAZY = {
    "EarlyStop": "vizkit.hooks.steering",
    "HalveOnPlateau": "vizkit.hooks.steering",
    "Pace": "vizkit.hooks.steering",
    "ValidateEvery": "vizkit.hooks.steering",
    "Watch": "vizkit.hooks.watching",
    "callback": "vizkit.hooks.hapi",
    "explain": "vizkit.hooks.explaining",
    "from_rank_0": "vizkit.hooks.distributed",
    "log_model": "vizkit.hooks.saving",
    "reduced": "vizkit.hooks.distributed",
    "summary": "vizkit.hooks.layers",
    "watch": "vizkit.hooks.watching",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
        return value
    raise AttributeError(f"module 'vizkit.hooks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
