"""Confusion matrices drawn as pixels, with no plotting library."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.media.images import enlarge
from vizkit.media.lettering import Letters, one_line, paths_for, picture_text
from vizkit.media.palette import INK, LINE, PAPER, color_ramp, is_dark
from vizkit.metrics.arrays import AnyArray, Pixels, to_array
from vizkit.metrics.confusion import MAX_CONFUSION_CLASSES

__all__ = ["confusion_image"]

_PAD = 4
# ColorBrewer's "Blues": its lightness falls steadily, for colour-blind readers and grey prints too.
_RAMP = "f7fbff deebf7 c6dbef 9ecae1 6baed6 4292c6 2171b5 08519c 08306b"
_GAMMA = 0.6  # below 1, to show confusions of a few percent
_NEUTRAL = (221, 221, 221)
_FAINT = (101, 109, 118)  # zeros, so that the other numbers stand out
_FEW_CLASSES = 20
_LONGEST_NAME = 220  # pixels
_TITLE = 14


def confusion_image(counts: ArrayLike, names: Sequence[object] | None = None) -> Pixels:
    """Draw a confusion matrix as a heat map, with the numbers in its cells.

    A cell is darker the larger its fraction of its row: from white (0) to dark blue (1). A row
    without samples, all 0 or NaN, is grey. Up to 20 classes all numbers are drawn, and cells grow
    with them. With more classes zeros are left out, then all numbers and some of the names if they do
    not fit.

    Args:
        counts: shape (k, k), not negative; rows are the true classes, columns the predicted.
        names: names of the k classes; by default 0 .. k - 1. The middle of long ones is cut out.

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

    words = picture_text("predicted"), picture_text("true")
    titles = Letters(_TITLE, paths_for("".join(words)))
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
    predicted, true = titles.stamp(words[0]), titles.stamp(words[1]).transpose(Image.Transpose.ROTATE_90)
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


def _checked_matrix(counts: ArrayLike) -> AnyArray:
    matrix = to_array(counts)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size or matrix.dtype.kind == "c":
        raise DataError(
            "a confusion matrix must be of real numbers and shape [k, k], got {matrix}",
            matrix=describe(matrix),
        )
    if len(matrix) > MAX_CONFUSION_CLASSES:
        raise DataError(
            "a matrix of {n} classes is too large to draw; {max_confusion_classes} are the most",
            n=len(matrix),
            max_confusion_classes=MAX_CONFUSION_CLASSES,
        )
    below = int(np.count_nonzero(matrix < 0))
    if below:
        raise DataError("{below} of {size} counts are negative", below=below, size=matrix.size)
    return matrix


def _checked_names(names: Sequence[object] | None, classes: int) -> list[str]:
    if names is None:
        return [str(i) for i in range(classes)]
    if len(names) != classes:
        raise DataError("expected names of {classes} classes, got {n}", classes=classes, n=len(names))
    return [one_line(str(name)) for name in names]


def _number(value: float) -> str:
    """Format whole numbers exactly, others to 3 digits."""
    if value != value:
        return "NaN"
    if isinstance(value, int) or (value < 1e7 and value == int(value)):
        return str(int(value))
    return f"{value:.0f}" if 100 <= value < 1e7 else f"{value:.3g}"


def _cell_and_text_size(classes: int, digits: int) -> tuple[int, int]:
    """The side of a cell in pixels, and the size of its number (0: none)."""
    widest = "0" * digits
    cell = max(1, min(96, round(150 / classes**0.5), MAX_CONFUSION_CLASSES // classes))
    if classes <= _FEW_CLASSES:
        cell = max(cell, round(Letters(11).width(widest)) + 8)
    for size in range(16, 8, -1):
        letters = Letters(size)
        # Some signs are a little wider than digits.
        if letters.line_height < cell and letters.width(widest) <= cell - 5:
            return cell, size
    return cell, 0


def _colors(matrix: AnyArray) -> Pixels:
    """The cells' colours, shape (k, k, 3)."""
    values = matrix.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shares = values / np.nansum(values, axis=1, keepdims=True)
    empty = ~np.isfinite(shares)
    shares[empty] = 0.0
    at = np.clip(shares, 0, 1) ** _GAMMA
    colors = color_ramp(at, _RAMP)
    colors[empty] = _NEUTRAL
    return colors.round().astype(np.uint8)


def _heat_map(colors: Pixels, cell: int) -> Pixels:
    """Draw squares, with lines between them if there is room, and a line around them."""
    image = np.empty((len(colors) * cell + 1, len(colors) * cell + 1, 3), np.uint8)
    image[:-1, :-1] = enlarge(colors, cell)
    step = cell if cell >= 8 else len(colors) * cell
    image[::step] = image[:, ::step] = LINE
    return image
