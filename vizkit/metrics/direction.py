"""The better direction of a metric, lower or higher, by its name."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from vizkit._checks import one_of
from vizkit.errors import DataError

__all__ = ["Mode", "direction", "known_direction"]

Mode = Literal["auto", "min", "max"]

_RISING = re.compile(
    r"acc(uracy)?\d*|top\d+|auc|auroc|auprc?|(m?ap|map)\d*|f1|f1score|fscore|m?iou|dice|precision|recall"
    r"|bleu\d*|rouge\w*|meteor|psnr|ssim|r2|kappa|mcc",
    re.I,
)
_FALLING = re.compile(
    r".*loss(es)?|err(or)?s?|ppl|perplexity|[a-z]{0,2}(mae|mse|mape|msle)|nll|wer|cer|ece|fid|brier", re.I
)
# A number about a metric: its spread, its part in a sum, what it takes.
_OTHER = re.compile(
    r"scal(e|er|ing)|weights?|coef\w*|lambda|ratio|norm|grad\w*|std(ev|dev|err)?|var(iance)?|sem|ci"
    r"|threshold|time|seconds|ms|steps?|epochs?|lr",
    re.I,
)
# The change of a metric; a loss of that name is one: `diff_loss` of a diffusion model.
_CHANGE = re.compile(
    r"gap|drop|delta|diff(erence)?|changes?|improvements?|gains?|reductions?|decreases?|increases?"
    r"|degradation",
    re.I,
)
# A metric turned round, as scikit-learn's `neg_mean_squared_error`; not a negative log-likelihood.
_TURNED = re.compile(r"neg(ative|ated)?|minus|inv(erse|erted)?", re.I)
_LIKELIHOOD = re.compile(r"neg(ative)?[\W_]*log[\W_]*(like|prob)", re.I)
_SUBTRACTED = re.compile(r"\s*(1\s*)?-")


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
    found = {way for part in monitor.split("/") if (way := _of_words(part))}
    words = _words(monitor.rpartition("/")[2])
    other = any(map(_OTHER.fullmatch, words))
    change = any(map(_CHANGE.fullmatch, words)) and not _FALLING.fullmatch(words[-1])
    if found not in ({"min"}, {"max"}) or other or change:
        raise DataError(
            "whether {monitor!r} is better high or low is not known: pass mode='max' or mode='min'",
            monitor=monitor,
        )
    return "min" if found == {"min"} else "max"


def _of_words(name: str) -> str:
    """The direction that words tell; "both" if they contradict each other. The loss of an IoU is a loss."""
    words = _words(name)
    if _SUBTRACTED.match(name) or (any(map(_TURNED.fullmatch, words)) and not _LIKELIHOOD.search(name)):
        return "both"
    rising = any(map(_RISING.fullmatch, words))
    falling = any(map(_FALLING.fullmatch, words))
    if rising and falling:
        return "min" if _FALLING.fullmatch(words[-1]) else "both"
    return "max" if rising else "min" if falling else ""


def _words(name: str) -> list[str]:
    """``mIoU``, ``acc``, ``top1``; those of ``valAcc`` are ``valAcc``, ``val`` and ``Acc``."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return [part for word in words for part in (word, *re.split(r"(?<=[a-z])(?=[A-Z])", word))]


@cache
def known_direction(monitor: str) -> Literal["", "min", "max"]:
    """Return the direction in which a metric is better; empty if its name has no words for it."""
    try:
        return direction(monitor, "auto")
    except DataError:
        return ""
