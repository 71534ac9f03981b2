"""What changes the course of a training by what it measures, and records why.

`EarlyStop` ends it, `HalveOnPlateau` slows it down, `ValidateEvery` measures within an epoch, `Pace`
against the time. Each is a callback for ``paddle.Model.fit`` and a plain object for a loop of one's own.
"""

from __future__ import annotations

from vizkit.hooks.steering.early_stop import EarlyStop
from vizkit.hooks.steering.pace import Pace
from vizkit.hooks.steering.plateau import HalveOnPlateau
from vizkit.hooks.steering.validation import ValidateEvery

__all__ = ["EarlyStop", "HalveOnPlateau", "Pace", "ValidateEvery"]
