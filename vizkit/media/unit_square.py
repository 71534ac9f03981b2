"""A square from 0 to 1 both ways for diagrams of calibration: its grid, diagonal, frame and ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizkit.media.lettering import Letters
from vizkit.media.palette import INK, LINE, PAPER

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

__all__ = ["FINE", "draw_diagonal", "framed", "grid", "write_ticks"]

FINE = 3
"""Squares are drawn so many times larger, and then reduced for smooth lines."""


def grid(side: int) -> Image.Image:
    """An empty square with lines at each fifth, `FINE` times as large.

    Args:
        side: its length in the end, in pixels.
    """
    from PIL import Image, ImageDraw

    side *= FINE
    canvas = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(canvas)
    for tick in range(1, 5):
        at = side * tick / 5
        draw.line([(0, at), (side, at)], LINE, FINE)
        draw.line([(at, 0), (at, side)], LINE, FINE)
    return canvas


def draw_diagonal(draw: ImageDraw.ImageDraw, side: int) -> None:
    """Draw the dashed line of perfect calibration into a square of ``side`` large pixels."""
    for dash in np.arange(0, 1, 0.03):
        draw.line([(side * at, side * (1 - at)) for at in (dash, dash + 0.018)], INK, 4)


def framed(canvas: Image.Image) -> Image.Image:
    """Reduce what is drawn to its final size, and draw a line around it."""
    from PIL import ImageDraw

    image = canvas.reduce(FINE)
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=LINE)
    return image


def write_ticks(image: Image.Image, letters: Letters, left: int, top: int, side: int, foot: int) -> None:
    """Write 0 to 1 below and to the left of a square.

    Args:
        image: the picture that the square is in.
        letters: the letters of the numbers.
        left: the place of the square in pixels, as of ``top`` and its length ``side``.
        foot: the top of the numbers below it.
    """
    for tick in range(6):
        stamp = letters.stamp(f"{tick / 5:g}")
        at = round(tick / 5 * side)
        image.paste(INK, (left + at - stamp.width // 2, foot), stamp)
        image.paste(INK, (left - 6 - stamp.width, top + side - at - letters.line_height // 2), stamp)
