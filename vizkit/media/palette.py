"""Colours: of runs, the same in plots, pages and the terminal, and of pictures."""

from __future__ import annotations

import numpy as np

from vizkit._protocols import ArrayLike
from vizkit.metrics.arrays import Bools, Floats

__all__ = [
    "COLORS",
    "INK",
    "LINE",
    "PAPER",
    "PLAIN",
    "RGB",
    "class_color",
    "color",
    "color_ramp",
    "is_dark",
    "lap",
]

RGB = tuple[int, int, int]

INK: RGB = (31, 35, 40)
PAPER: RGB = (255, 255, 255)
PLAIN: RGB = (234, 238, 242)
LINE: RGB = (208, 215, 222)

COLORS = (
    *("#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#7a21dd"),
    *("#9c0000", "#0cc0fc", "#6c3c54", "#c060c0"),
)
"""Ten colours on white that differ for the colour-blind too.

The first six are those of M. Petroff, *Accessible Color Sequences for Data Visualization* (2021); the
others are those farthest from all before them, in OKLab, as seen with normal sight and with each of the
three dichromacies (Machado, Oliveira and Fernandes, 2009).
"""


def color(position: int) -> str:
    """Return ``#rrggbb`` of the run at a position (from 0, in natural order); after ten they repeat."""
    return COLORS[position % len(COLORS)]


def lap(position: int) -> int:
    """Return how often all colours were used before this position; line styles distinguish such runs."""
    return position // len(COLORS)


def class_color(number: int) -> RGB:
    """Return the colour of a class: one of the ten `COLORS`, then lighter and then darker ones."""
    red, green, blue = bytes.fromhex(color(number)[1:])
    turn = lap(number) % 3
    if turn == 1:
        return (red + 255) // 2, (green + 255) // 2, (blue + 255) // 2
    return (red * 3 // 5, green * 3 // 5, blue * 3 // 5) if turn else (red, green, blue)


def color_ramp(values: Floats, ramp: str) -> Floats:
    """Interpolate colours of a ramp, shape (..., 3).

    Args:
        values: 0 is the first colour of the ramp, 1 the last.
        ramp: colours at even distances, such as ``000000 ffffff``.
    """
    colors = np.array([list(bytes.fromhex(each)) for each in ramp.split()])
    stops = np.linspace(0, 1, len(colors))
    return np.stack([np.interp(values, stops, channel) for channel in colors.T], axis=-1)


def is_dark(colors: ArrayLike) -> Bools:
    """Return True where white text has more contrast than dark, by the relative luminance of WCAG 2.

    Args:
        colors: 0 to 255, shape (..., 3).
    """
    channels = np.asarray(colors) / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722) < 0.2)
