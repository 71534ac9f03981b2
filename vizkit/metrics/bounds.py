"""The bounds of a metric, by its name and its values."""

from __future__ import annotations

import math
import re

from vizkit.metrics.direction import known_direction

__all__ = ["metric_bounds"]

_SHARES = re.compile(
    r"acc(uracy)?\d*|top\d+|auc|auroc|auprc?|m?ap\d*|f1|f1score|fscore|m?iou|dice|precision|recall",
    re.I,
)
_NEVER_NEGATIVE = re.compile(
    r"(?<![A-Za-z0-9])"  # a norm, not a layer that normalizes
    r"((?<!batch.)(?<!layer.)(?<!group.)(?<!instance.)norms?|times?|ms|seconds?|durations?|latency|memory)"
    r"(?![A-Za-z0-9])",
    re.I,
)


def metric_bounds(name: str, least: float, greatest: float) -> tuple[float, float]:
    """The least and greatest value that a metric can have; infinite where it has no bound.

    Accuracies and other shares lie in [0, 1], or in [0, 100] if one is above 1. Losses, errors, norms, times
    and the like are at least 0 if none is negative.

    Args:
        name: the metric's tag, such as ``eval/acc``.
        least, greatest: its recorded values.
    """
    better = known_direction(name)
    words = re.split(r"[^A-Za-z0-9]+", name)
    if better == "max" and any(map(_SHARES.fullmatch, words)) and least >= 0 and greatest <= 100:
        return 0.0, 1.0 if greatest <= 1 else 100.0
    positive = better == "min" or _NEVER_NEGATIVE.search(name) is not None
    return 0.0 if least >= 0 and positive else -math.inf, math.inf
