"""Colours: of runs, the same in plots, pages and the terminal, and of pictures."""

from __future__ import annotations

import hashlib
from functools import lru_cache

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
    "SHADES",
    "class_color",
    "color",
    "color_ramp",
    "is_dark",
    "lap",
    "places",
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
"""Ten hues on white that differ for the colour-blind too.

The first six are those of M. Petroff, *Accessible Color Sequences for Data Visualization* (2021); the
others are those farthest from all before them, in OKLab, as seen with normal sight and with each of the
three dichromacies (Machado, Oliveira and Fernandes, 2009).
"""


SHADES = 3 * len(COLORS)
"""Colours that `color` gives: each hue, darker, and lighter."""

_STRIDES = (1, 3, 7, 9)  # through all ten hues


@lru_cache(maxsize=16)
def places(names: tuple[str, ...]) -> tuple[int, ...]:
    """Give each name a place in the palette; names that are appended never move those before them.

    A name prefers a hue by its hash, and takes, of those that are used least so far, the one that it prefers.
    """
    used = [0] * len(COLORS)
    found = []
    for name in names:
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        first, stride = digest[0], _STRIDES[digest[1] % len(_STRIDES)]
        least = min(used)
        hues = ((first + turn * stride) % len(used) for turn in range(len(used)))
        hue = next(hue for hue in hues if used[hue] == least)
        found.append(least * len(used) + hue)
        used[hue] += 1
    return tuple(found)


def color(place: int) -> str:
    """Return ``#rrggbb`` of the run at a place of the palette: a hue, then its darker and lighter shades."""
    return "#{:02x}{:02x}{:02x}".format(*class_color(place))


def lap(place: int) -> int:
    """Return how often all hues were used before this place; shades and line styles tell such runs apart."""
    return place // len(COLORS)


def class_color(number: int) -> RGB:
    """Return the colour of a class: one of the ten `COLORS`, then darker and then lighter ones."""
    red, green, blue = bytes.fromhex(COLORS[number % len(COLORS)][1:])
    turn = lap(number) % (SHADES // len(COLORS))
    if turn == 1:
        return red * 3 // 5, green * 3 // 5, blue * 3 // 5
    return (_paler(red), _paler(green), _paler(blue)) if turn else (red, green, blue)


def _paler(channel: int) -> int:
    return (13 * channel + 7 * 255) // 20


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
