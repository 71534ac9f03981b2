"""Captions and confusion matrices drawn as pixels, with no plotting library.

Text is drawn with Pillow's own font where that has all its characters, else with a font of the
system. Nothing here keeps state that threads could share but caches.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import unicodedata
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import DataError, VizKitWarning
from vizkit.measures.arrays import describe, to_array

if TYPE_CHECKING:
    from PIL import Image, ImageDraw
    from PIL.ImageFont import FreeTypeFont

__all__ = ["captioned", "matrix_image"]

_Pixels = NDArray[np.uint8]
_Color = tuple[int, int, int]

_INK = (31, 35, 40)
_PAPER = (255, 255, 255)
_PLAIN = (234, 238, 242)
_GOOD = (26, 127, 55)
_BAD = (207, 34, 46)


# ---- captions --------------------------------------------------------------------------------------

_SMALL = 140  # pixels that small images are enlarged to, about
_NARROW = 96  # pixels that a strip needs to hold words
_PAD = 4
_FEW_LINES = 4  # more are set in small letters
_MOST_LINES = 40


def captioned(pixels: _Pixels, text: str, good: bool | None = None) -> _Pixels:
    """An image with a strip of text below it, such as its true and predicted class.

    Args:
        pixels: uint8, shape (H, W), (H, W, 3) or (H, W, 4). An image of less than about 140
            pixels is enlarged by a whole factor, each pixel to a square.
        text: wrapped at the image's width, and set smaller if it is long; what goes past 40 lines
            is cut with an ellipsis. Line breaks are kept.
        good: whether the strip is green with a check mark, red with a cross, or (None) grey.

    Returns:
        uint8, shape (h, w, 3), or (h, w, 4) for an image with alpha. The enlarged image is at the
        top; one too narrow to hold words is centred on white, or on transparent with alpha.

    Raises:
        DataError: ``pixels`` is no such image.
    """
    picture = _checked_image(pixels)
    height, width = picture.shape[:2]
    factor = max(1, round(_SMALL / max(height, width)))
    if factor > 1:
        picture = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        height, width = height * factor, width * factor
    full = max(width, _NARROW)
    strip = _strip(text, good, full)

    out = np.full((height + len(strip), full, 4 if picture.shape[2] == 4 else 3), 255, np.uint8)
    if full > width and out.shape[2] == 4:
        out[:height, :, 3] = 0
    left = (full - width) // 2
    out[:height, left : left + width] = picture
    out[height:, :, :3] = strip
    return out


def _checked_image(pixels: _Pixels) -> _Pixels:
    array = to_array(pixels)
    if array.dtype != np.uint8:
        raise DataError(f"pixels must be uint8, got {describe(pixels)}")
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        raise DataError(f"pixels must be of shape [H, W], [H, W, 3] or [H, W, 4], got {describe(pixels)}")
    return array


def _strip(text: str, good: bool | None, width: int) -> _Pixels:
    """The text on its ground, shape (any, width, 3)."""
    from PIL import Image, ImageDraw

    text = _drawable(text)
    size = min(max(14, width // 32), 48)
    for size in (size, 10):
        mark = 0 if good is None else size + _PAD
        lines = _wrapped(text, size, width - 2 * _PAD - mark)
        if len(lines) <= _FEW_LINES:
            break

    step = _line_height(size)
    ground, ink = (_PLAIN, _INK) if good is None else (_GOOD if good else _BAD, _PAPER)
    image = Image.new("RGB", (width, len(lines) * step + 2 * _PAD), ground)
    if good is not None:
        image.paste(ink, (_PAD, _PAD + (step - size) // 2), _mark(good, size))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        _write(draw, line, size, _PAD + mark, _PAD + row * step, ink)
    return np.asarray(image)


@functools.lru_cache(maxsize=32)
def _mark(good: bool, size: int) -> Image.Image:
    """A check mark or a cross, which few fonts have, as a mask."""
    from PIL import Image, ImageDraw

    fine = Image.new("L", (4 * size, 4 * size))
    check = [[(0.1, 0.55), (0.38, 0.83), (0.9, 0.2)]]
    cross = [[(0.17, 0.17), (0.83, 0.83)], [(0.17, 0.83), (0.83, 0.17)]]
    draw = ImageDraw.Draw(fine)
    for stroke in check if good else cross:
        draw.line([(4 * size * x, 4 * size * y) for x, y in stroke], 255, width=size * 5 // 8, joint="curve")
    return fine.reduce(4)


# ---- confusion matrices ----------------------------------------------------------------------------

# ColorBrewer's "Blues": its lightness falls steadily, for colour-blind readers and grey prints too.
_RAMP = np.array(
    [
        (247, 251, 255),
        (222, 235, 247),
        (198, 219, 239),
        (158, 202, 225),
        (107, 174, 214),
        (66, 146, 198),
        (33, 113, 181),
        (8, 81, 156),
        (8, 48, 107),
    ],
    dtype=np.float64,
)
_NEUTRAL = (221, 221, 221)
_LINE = (208, 215, 222)
_MOST_CLASSES = 2000
_LONGEST_NAME = 220  # pixels


def matrix_image(counts: Any, names: Sequence[Any] | None = None) -> _Pixels:
    """A confusion matrix as a heat map, with the numbers in its cells.

    A cell is the darker the larger its share of its row, from light (0) to dark blue (1). A row
    without samples, all 0 or NaN, is grey. Numbers are left out when the cells of many classes
    are too small for them; up to 20 classes the cells grow with the numbers.

    Args:
        counts: shape (k, k), not negative; rows are the true classes, columns the predicted.
        names: of the k classes; by default their numbers. Long ones lose their middle.

    Returns:
        uint8, shape (h, w, 3).

    Raises:
        DataError: ``counts`` is no such matrix, or there are more or fewer names than classes.
    """
    from PIL import Image, ImageDraw

    matrix = _checked_matrix(counts)
    classes = len(matrix)
    labels = _checked_names(names, classes)
    numbers = [[_number(value) for value in row] for row in matrix.tolist()]
    widest = max(len(number) for row in numbers for number in row) * _digit_width(1000) / 1000
    cell, size = _cell_size(classes, widest)

    label_size = min(max(cell * 3 // 4, 10), 14)
    every = -(-_line_height(label_size) // (cell + 2)) if cell < _line_height(label_size) - 2 else 1
    labels = [_shortened(label, label_size, _LONGEST_NAME) for label in labels]
    shown = range(0, classes, every)
    reach = max(_width(labels[i], label_size) for i in shown)
    upright = every > 1 or max(_width(labels[i], label_size) for i in shown) > cell - 4
    raise NotImplementedError
