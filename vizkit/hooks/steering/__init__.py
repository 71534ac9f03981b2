"""Callbacks that change the course of a training by its metrics, and record why.

`EarlyStop` ends it, `HalveOnPlateau` slows it down, `ValidateEvery` measures within an epoch, `Pace`
against the time. Each is a callback for ``paddle.Model.fit`` and a plain object for your own loop.
"""

from __future__ import annotations

from vizkit.hooks.steering.early_stop import EarlyStop
from vizkit.hooks.steering.pace import Pace
from vizkit.hooks.steering.plateau import HalveOnPlateau
from vizkit.hooks.steering.validation import ValidateEvery

__all__ = ["EarlyStop", "HalveOnPlateau", "Pace", "ValidateEvery"]
