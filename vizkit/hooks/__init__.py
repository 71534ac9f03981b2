"""Hooks into Paddle's trainings; the only package of VizKit that imports Paddle.

`callback` is for ``paddle.Model``, `watch` for a loop of one's own, `log_model` saves a network.
"""

from __future__ import annotations

from vizkit.hooks.hapi import callback
from vizkit.hooks.saving import log_model
from vizkit.hooks.watching import Watch, watch

__all__ = ["Watch", "callback", "log_model", "watch"]
