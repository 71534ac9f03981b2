"""A program that a sweep has started as a trial: its hyper-parameters, and the run that it records into."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from vizkit._protocols import JSONObject

__all__ = ["SWEEP_VARIABLE", "hparams", "take_run"]

SWEEP_VARIABLE = "VIZKIT_SWEEP"
"""The environment variable that tells a program of its trial: ``run``, ``hparams``, ``metric``, ``mode``."""


def hparams(
    defaults: Mapping[str, bool | int | float | str | None] | None = None,
) -> dict[str, bool | int | float | str | None]:
    """The hyper-parameters of the trial that this program is, if a sweep has started it.

    ::

        hparams = vizkit.hparams({"learning rate": 1e-3, "batch size": 64})
        tracker = vizkit.Tracker("log/run1", hparams=hparams)

    Args:
        defaults: the hyper-parameters of a program that no sweep has started, and those that its space lacks.
    """
    return {**(defaults or {}), **_trial().get("hparams", {})}


def take_run() -> JSONObject:
    """The trial that a program's first tracker takes over; empty for others, and in child processes."""
    trial = _trial()
    if "run" not in trial:
        return {}
    os.environ[SWEEP_VARIABLE] = json.dumps({"hparams": trial["hparams"]})
    return trial


def _trial() -> JSONObject:
    found: JSONObject = json.loads(os.environ.get(SWEEP_VARIABLE) or "{}")
    return found
