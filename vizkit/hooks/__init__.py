"""Hooks into Paddle's trainings; the only package of VizKit that imports Paddle.

`callback` is for ``paddle.Model``, `watch` for a loop of one's own, `log_model` saves a network,
`vizkit.autolog` is for code that is left as it is. Paddle is imported when one of them is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vizkit.hooks.hapi import callback
    from vizkit.hooks.saving import log_model
    from vizkit.hooks.watching import Watch, watch

__all__ = ["Watch", "callback", "log_model", "watch"]

_LAZY = {
    "Watch": "vizkit.hooks.watching",
    "callback": "vizkit.hooks.hapi",
    "log_model": "vizkit.hooks.saving",
    "watch": "vizkit.hooks.watching",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
        return value
    raise AttributeError(f"module 'vizkit.hooks' has no attribute {name!r}")
