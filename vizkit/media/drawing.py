"""Captions and confusion matrices drawn as pixels, with no plotting library."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.media.images import enlarged
from vizkit.media.lettering import Letters, drawable, one_line, paths_for
from vizkit.metrics.arrays import to_array

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "INK",
    "LINE",
    "PAPER",
    "PLAIN",
    "captioned",
    "ground_of",
    "is_dark",
    "matrix_image",
    "ramp_colors",
]

_Pixels = NDArray[np.uint8]
_Color = tuple[int, int, int]

INK = (31, 35, 40)
PAPER = (255, 255, 255)
PLAIN = (234, 238, 242)
LINE = (208, 215, 222)
_GOOD = (0, 90, 156)  # blue and orange: told apart by colour-blind readers too
_BAD = (180, 72, 0)


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
        good: whether the strip is blue with a check mark, orange with a cross, or (None) grey.

    Returns:
        uint8, shape (h, w, 3), or (h, w, 4) for an image with alpha. The enlarged image is at the
        top; one too narrow to hold words is centred on white, or on transparent with alpha.

    Raises:
        DataError: ``pixels`` is no such image.
    """
    picture = _checked_image(pixels)
    height, width = picture.shape[:2]
    factor = max(1, round(_SMALL / max(height, width)))
    if picture.shape[2] == 1:
        picture = picture.repeat(3, axis=2)
    picture = enlarged(picture, factor)
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


def ground_of(good: bool | None) -> _Color:
    """The colour of a caption's ground."""
    return PLAIN if good is None else (_GOOD if good else _BAD)


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

    text = drawable(text)[: _MOST_LINES * width]
    letters, lines = _typeset(text, width - 2 * _PAD, has_mark=good is not None)
    size, step = letters.size, letters.line_height
    mark = 0 if good is None else size + _PAD
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = ["…"]

    ground, ink = ground_of(good), INK if good is None else PAPER
    image = Image.new("RGB", (width, len(lines) * step + 2 * _PAD), ground)
    if good is not None:
        image.paste(ink, (_PAD, _PAD + (step - size) // 2), _mark(bool(good), size))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        letters.write(draw, line, _PAD + mark, _PAD + row * step, ink)
    return np.asarray(image)


def _typeset(text: str, width: int, has_mark: bool) -> tuple[Letters, list[str]]:
    """The letters and the lines: one if it takes little shrinking, else few or small ones."""
    path_of = paths_for(text)
    full = min(max(14, width // 32), 48)
    for size, most in (*((size, 1) for size in range(full, full * 3 // 4, -1)), (full, _FEW_LINES)):
        letters = Letters(size, path_of)
        room = width - (size + _PAD if has_mark else 0)
        # Letters are hardly narrower than a fifth of their size: do not wrap what is far too long.
        if len(text) * size < 5 * room * most:
            lines = letters.wrapped(text, room)
            if len(lines) <= most:
                return letters, lines
    letters = Letters(full * 5 // 7, path_of)
    return letters, letters.wrapped(text, width - (letters.size + _PAD if has_mark else 0))


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
_GAMMA = 0.6  # below 1, so that confusions of a few percent show
_NEUTRAL = (221, 221, 221)
_FAINT = (101, 109, 118)  # zeros, so that the other numbers stand out
_FEW_CLASSES = 20
_MOST_CLASSES = 2000
_LONGEST_NAME = 220  # pixels
_TITLE = 14


def matrix_image(counts: Any, names: Sequence[Any] | None = None) -> _Pixels:
    """A confusion matrix as a heat map, with the numbers in its cells.

    A cell is the darker the larger its share of its row: from white (0) to dark blue (1). A row
    without samples, all 0 or NaN, is grey. Up to 20 classes all numbers are drawn, and cells grow
    with them. With more classes zeros are left blank, and where they do not fit all numbers and
    then some of the names.

    Args:
        counts: shape (k, k), not negative; rows are the true classes, columns the predicted.
        names: of the k classes; by default 0 .. k - 1. Long ones lose their middle.

    Returns:
        uint8, shape (h, w, 3).

    Raises:
        DataError: ``counts`` is no such matrix or has over 2000 classes, or ``names`` are not k.
    """
    from PIL import Image

    matrix = _checked_matrix(counts)
    classes = len(matrix)
    labels = _checked_names(names, classes)
    numbers = [[_number(value) for value in row] for row in matrix.tolist()]
    cell, size = _cell_and_text_size(classes, max(len(number) for row in numbers for number in row))
    colors = _colors(matrix)

    letters = Letters(min(max(cell * 3 // 4, 10), 14), paths_for("".join(labels)))
    line = letters.line_height
    shown = range(0, classes, -(-line // (cell + 1)))
    stamps = {i: letters.stamp(letters.shortened(labels[i], _LONGEST_NAME)) for i in shown}
    reach = max(stamp.width for stamp in stamps.values())
    if reach < min(160, 800 // classes):  # wider cells are better than upright names
        cell = max(cell, reach + 2)
    upright = reach > cell - 2

    titles = Letters(_TITLE)
    left, top = _PAD + titles.line_height + _PAD + reach + _PAD, 2 * _PAD
    extent = classes * cell + 1
    bottom = top + extent + _PAD
    foot = bottom + (reach if upright else line) + _PAD
    image = Image.new("RGB", (left + extent + 2 * _PAD, foot + titles.line_height + _PAD), PAPER)
    image.paste(Image.fromarray(_heat_map(colors, cell)), (left, top))

    for i, stamp in stamps.items():
        middle = i * cell + (cell + 1) // 2
        image.paste(INK, (left - _PAD - stamp.width, top + middle - line // 2), stamp)
        if upright:
            image.paste(INK, (left + middle - line // 2, bottom), stamp.transpose(Image.Transpose.ROTATE_90))
        else:
            image.paste(INK, (left + middle - stamp.width // 2, bottom), stamp)
    predicted, true = titles.stamp("predicted"), titles.stamp("true").transpose(Image.Transpose.ROTATE_90)
    image.paste(INK, (_PAD, top + max(0, extent - true.height) // 2), true)
    image.paste(INK, (left + (extent - predicted.width) // 2, foot), predicted)

    if size:
        dark, digits = is_dark(colors), Letters(size)
        drawn: dict[str, Image.Image] = {}
        for i, row in enumerate(numbers):
            for j, number in enumerate(row):
                if number == "0" and classes > _FEW_CLASSES:
                    continue
                stamp = drawn.get(number) or drawn.setdefault(number, digits.stamp(number))
                ink = PAPER if dark[i, j] else _FAINT if number == "0" else INK
                x = left + j * cell + (cell + 1 - stamp.width) // 2
                y = top + i * cell + (cell + 1 - stamp.height) // 2
                image.paste(ink, (x, y), stamp)
    return np.array(image)


def _checked_matrix(counts: Any) -> NDArray[Any]:
    matrix = to_array(counts)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size or matrix.dtype.kind == "c":
        raise DataError(
            f"a confusion matrix must be of real numbers and shape [k, k], got {describe(matrix)}"
        )
    if len(matrix) > _MOST_CLASSES:
        raise DataError(
            f"a matrix of {len(matrix)} classes is too large to draw; {_MOST_CLASSES} are the most"
        )
    below = int(np.count_nonzero(matrix < 0))
    if below:
        raise DataError(f"{below} of {matrix.size} counts are negative")
    return matrix


def _checked_names(names: Sequence[Any] | None, classes: int) -> list[str]:
    if names is None:
        return [str(i) for i in range(classes)]
    if len(names) != classes:
        raise DataError(f"expected names of {classes} classes, got {len(names)}")
    return [one_line(str(name)) for name in names]


def _number(value: float) -> str:
    """Whole numbers exactly, others to 3 digits."""
    if value != value:
        return "NaN"
    if isinstance(value, int) or (value < 1e7 and value == int(value)):
        return str(int(value))
    return f"{value:.0f}" if 100 <= value < 1e7 else f"{value:.3g}"


def _cell_and_text_size(classes: int, digits: int) -> tuple[int, int]:
    """Pixels of a cell's side, and the size of its number (0: none)."""
    widest = "0" * digits
    cell = max(1, min(96, round(150 / classes**0.5), _MOST_CLASSES // classes))
    if classes <= _FEW_CLASSES:
        cell = max(cell, round(Letters(11).width(widest)) + 8)
    for size in range(16, 8, -1):
        letters = Letters(size)
        # Some signs are a little wider than digits.
        if letters.line_height < cell and letters.width(widest) <= cell - 5:
            return cell, size
    return cell, 0


def _colors(matrix: NDArray[Any]) -> _Pixels:
    """The cells' colours, shape (k, k, 3)."""
    values = matrix.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shares = values / np.nansum(values, axis=1, keepdims=True)
    empty = ~np.isfinite(shares)
    shares[empty] = 0.0
    at = np.clip(shares, 0, 1) ** _GAMMA
    colors = ramp_colors(at, _RAMP)
    colors[empty] = _NEUTRAL
    return colors.round().astype(np.uint8)


def ramp_colors(values: NDArray[Any], ramp: NDArray[Any]) -> NDArray[np.float64]:
    """Values from 0 to 1 as colours of a ramp, shape (..., 3), whose first and last are those of 0 and 1."""
    stops = np.linspace(0, 1, len(ramp))
    return np.stack([np.interp(values, stops, channel) for channel in ramp.T], axis=-1)


def _heat_map(colors: _Pixels, cell: int) -> _Pixels:
    """Squares with lines between them if there is room, and a line around them."""
    image = np.empty((len(colors) * cell + 1, len(colors) * cell + 1, 3), np.uint8)
    image[:-1, :-1] = enlarged(colors, cell)
    step = cell if cell >= 8 else len(colors) * cell
    image[::step] = image[:, ::step] = LINE
    return image


def is_dark(colors: Any) -> NDArray[np.bool_]:
    """Where white text has more contrast than dark (by the relative luminance of WCAG 2).

    Args:
        colors: of 0 to 255, shape (..., 3).
    """
    channels = np.asarray(colors) / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722) < 0.2)
