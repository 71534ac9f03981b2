"""Histograms of a network's parameters and of their gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vizkit.tracker import Tracker

__all__ = ["record_histograms", "tag_of"]


def tag_of(kind: str, name: str) -> str:
    """The tag of a parameter: ``weights`` and ``fc.0.weight`` give ``weights/fc/0/weight``."""
    return f"{kind}/{name.replace('.', '/')}"


def record_histograms(tracker: Tracker, kind: str, arrays: Mapping[str, Any], step: int) -> None:
    """Records the histogram of each named array that holds a number."""
    for name, array in arrays.items():
        if 0 not in array.shape:
            tracker.log_histogram(tag_of(kind, name), array, step)
