"""Values, durations and names as short texts, safe to print."""

from __future__ import annotations

from datetime import timedelta

from vizkit.runs.query import MISSING

__all__ = ["LONGEST_CELL", "clean", "duration_text", "value_text"]

LONGEST_CELL = 32
"""Characters of a table's cell."""


def value_text(value: object) -> str:
    """A hyper-parameter or metric as a short text; floats get four digits."""
    if value is MISSING or value is None:
        return "" if value is MISSING else "None"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def duration_text(duration: timedelta | None) -> str:
    """``3.2 s``, ``12 min 05 s``, ``3 h 20 min``, ``2 d 4 h``."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02} s"
    if seconds < 172_800:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02} min"
    return f"{int(seconds // 86_400)} d {int(seconds % 86_400 // 3600)} h"


def clean(text: str, longest: int | None = LONGEST_CELL) -> str:
    """Escape characters that move a terminal's cursor or change the writing direction, and shorten.

    Args:
        text: any text.
        longest: characters to keep at most; None: all.
    """
    shown = text if longest is None else text[: longest + 1]
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"
