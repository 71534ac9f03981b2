"""Warnings about records that could not be written."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from types import FrameType

from vizkit._language import Message, tr
from vizkit.errors import VizKitError, VizKitWarning

__all__ = ["count_lost", "in_words", "warn"]


def warn(message: str, /, **values: object) -> None:
    """Warn with a translated `VizKitWarning` that points to the calling line outside of VizKit and Paddle.

    ``values`` stand in the message's placeholders. On the worker's thread there is no such line; there it
    points to this file.
    """
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _is_passed(frame.f_globals.get("__name__")):
        frame, level = frame.f_back, level + 1
    warnings.warn(tr(message, **values), VizKitWarning, stacklevel=1 if frame is None else level)


def count_lost(lost: Counter[str], tag: str, reason: object) -> None:
    """Count a record that could not be written, and warn about the first of each tag.

    Args:
        lost: tag -> number of lost records.
        tag: the record's tag, or another name for what is missing.
        reason: an error or a text.
    """
    lost[tag] += 1
    if lost[tag] == 1:
        warn("{tag}: not recorded: {reason}", tag=tag, reason=in_words(reason))


def in_words(reason: object) -> str:
    """An error or a text in words; the type of an error is named unless it is VizKit's or an OSError."""
    if isinstance(reason, VizKitError) and isinstance(reason.args[0], Message):
        return tr(reason.args[0])
    if isinstance(reason, OSError):
        return str.__str__(tr("{error}", error=reason))
    foreign = isinstance(reason, Exception) and not isinstance(reason, VizKitError)
    return f"{type(reason).__name__}: {reason}" if foreign else str(reason)


def _is_passed(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in ("vizkit", "paddle", "contextlib")
