"""A square from 0 to 1 both ways for diagrams of calibration: its grid, diagonal, frame and ticks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from vizkit.media.lettering import Letters
from vizkit.media.palette import INK, LINE, PAPER, RGB

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

__all__ = [
    "FINE",
    "diagonal_mask",
    "draw_diagonal",
    "draw_frame",
    "empty_square",
    "framed",
    "grid",
    "write_ticks",
]

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


def draw_diagonal(draw: ImageDraw.ImageDraw, side: int, ink: RGB | int = INK) -> None:
    """Draw the dashed line of perfect calibration into a square of ``side`` large pixels."""
    for dash in np.arange(0, 1, 0.03):
        draw.line([(side * at, side * (1 - at)) for at in (dash, dash + 0.018)], ink, 4)


# What is alike in all diagrams is drawn once: those of upright bars need no more than that to be smooth.
@functools.cache
def empty_square(side: int) -> Image.Image:
    """A `grid` in its final size, which must not be changed."""
    return grid(side).reduce(FINE)


@functools.cache
def diagonal_mask(side: int) -> Image.Image:
    """The dashed line of `draw_diagonal` in its final size, as a mask, which must not be changed."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", (side * FINE, side * FINE))
    draw_diagonal(ImageDraw.Draw(mask), side * FINE, 255)
    return mask.reduce(FINE)


def framed(canvas: Image.Image) -> Image.Image:
    """Reduce what is drawn to its final size, and draw a line around it."""
    image = canvas.reduce(FINE)
    draw_frame(image)
    return image


def draw_frame(image: Image.Image) -> None:
    """Draw a line around what is drawn in its final size."""
    from PIL import ImageDraw

    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=LINE)


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
