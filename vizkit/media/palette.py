"""The colours of runs, the same in plots, pages and the terminal."""

from __future__ import annotations

__all__ = ["COLORS", "color", "lap"]

COLORS = (
    "#5790fc",
    "#f89c20",
    "#e42536",
    "#964a8b",
    "#9c9ca1",
    "#7a21dd",
    "#9c0000",
    "#0cc0fc",
    "#6c3c54",
    "#c060c0",
)
"""Ten colours on white that differ for the colour-blind too.

The first six are those of M. Petroff, *Accessible Color Sequences for Data Visualization* (2021); the
others are those farthest from all before them, in OKLab, as seen with normal sight and with each of the
three dichromacies (Machado, Oliveira and Fernandes, 2009).
"""


def color(position: int) -> str:
    """``#rrggbb`` of the run at a position (from 0, in natural order); the eleventh has the first again."""
    return COLORS[position % len(COLORS)]


def lap(position: int) -> int:
    """How often all colours were used before this position: another line style tells such runs apart."""
    return position // len(COLORS)
