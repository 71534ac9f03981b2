"""Whether a metric is better when it is lower or higher, told by its name."""

from __future__ import annotations

import re
from typing import Any, Literal

from vizkit._checks import describe
from vizkit.errors import DataError

__all__ = ["Mode", "direction"]

Mode = Literal["auto", "min", "max"]

_RISING = re.compile(
    r"acc(uracy)?|auc|auroc|ap|map|f1|fscore|m?iou|dice|precision|recall|bleu|rouge|psnr|ssim|r2|top", re.I
)
_FALLING = re.compile(r".*loss|.*err(or)?|ppl|perplexity|mae|r?mse|mape|nll|wer|cer|ece|fid", re.I)


def direction(monitor: str, mode: Any) -> Literal["min", "max"]:
    """Whether a metric is better when it is lower or higher.

    Args:
        monitor: the metric's name, such as ``eval/acc_top1``.
        mode: ``"min"``, ``"max"``, or ``"auto"``: by the words of the name.

    Raises:
        DataError: another mode, or a name that does not tell.
    """
    if mode in ("min", "max"):
        return "min" if mode == "min" else "max"
    if mode != "auto":
        raise DataError(f"mode must be 'min', 'max' or 'auto', got {describe(mode)}")
    words = re.split(r"[^A-Za-z0-9]+", monitor)
    falling = any(_FALLING.fullmatch(word) for word in words)
    rising = any(_RISING.fullmatch(word) for word in words)
    if falling == rising:
        raise DataError(
            f"whether {monitor!r} is better high or low is not known: pass mode='max' or mode='min'"
        )
    return "min" if falling else "max"
