"""The better direction of a metric, lower or higher, by its name."""

from __future__ import annotations

import re
from typing import Literal

from vizkit._checks import one_of
from vizkit.errors import DataError

__all__ = ["Mode", "direction", "known_direction"]

Mode = Literal["auto", "min", "max"]

_RISING = re.compile(
    r"acc(uracy)?|auc|auroc|ap|map|f1|fscore|m?iou|dice|precision|recall|bleu|rouge|psnr|ssim|r2|top", re.I
)
_FALLING = re.compile(r".*loss|.*err(or)?|ppl|perplexity|mae|r?mse|mape|nll|wer|cer|ece|fid", re.I)


def direction(monitor: str, mode: str) -> Literal["min", "max"]:
    """Return "min" if a lower value of a metric is better, "max" if a higher one is.

    Args:
        monitor: the metric's name, such as ``eval/acc_top1``.
        mode: ``"min"``, ``"max"``, or ``"auto"``: by the words of the name.

    Raises:
        DataError: another mode, or a name with no such words.
    """
    if one_of("mode", mode, ("min", "max", "auto")) != "auto":
        return "min" if mode == "min" else "max"
    words = re.split(r"[^A-Za-z0-9]+", monitor)
    falling = any(_FALLING.fullmatch(word) for word in words)
    rising = any(_RISING.fullmatch(word) for word in words)
    if falling == rising:
        raise DataError(
            "whether {monitor!r} is better high or low is not known: pass mode='max' or mode='min'",
            monitor=monitor,
        )
    return "min" if falling else "max"


def known_direction(monitor: str) -> Literal["", "min", "max"]:
    """Return the direction in which a metric is better; empty if its name has no words for it."""
    try:
        return direction(monitor, "auto")
    except DataError:
        return ""
