"""Captions below images, such as the true and the predicted class, and grids of captioned images."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vizkit._checks import describe, text_of
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.media.image_grid import image_grid
from vizkit.media.images import enlarge
from vizkit.media.lettering import Letters, as_texts, drawable, paths_for, picture_text
from vizkit.media.palette import INK, PAPER, PLAIN, RGB
from vizkit.metrics.activation import are_distributions
from vizkit.metrics.arrays import AnyArray, Pixels, to_array

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Caption", "add_caption", "caption_color", "captioned_grid", "make_captions", "name_of", "percent"]

_GOOD = (0, 90, 156)  # blue and orange: different for colour-blind readers too
_BAD = (180, 72, 0)
_FRAME = 4  # pixels around an image, in the colour of its caption
_GAP = 4
_SMALL = 140  # pixels to which small images are enlarged, about
_NARROW = 96  # pixels that a strip of words needs
_PAD = 4
_FEW_LINES = 4  # more are in small letters
_MAX_LINES = 40


class Caption(NamedTuple):
    """The text below an image.

    Attributes:
        text: its lines.
        good: True if the prediction is right, False if it is wrong, None if that is unknown.
    """

    text: str
    good: bool | None = None


def make_captions(
    count: int,
    labels: ArrayLike | None = None,
    predictions: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
) -> list[Caption]:
    """Write a caption for each image: ``label cat``, and ``predicted dog, 93%`` below it.

    Args:
        count: number of images, n.
        labels: class ids or other numbers of shape (n,) or (n, 1), or n texts.
        predictions: the same, or scores of shape (n, c), of which the largest counts; its probability
            is written if each row is a distribution.
        class_names: names by class id; a class without a name is written as its id.

    Raises:
        DataError: labels or predictions that are not n, or of another shape.
    """
    truths = None if labels is None else _values(labels, count, "labels")
    guesses, shares = (None, None) if predictions is None else _guesses(predictions, count)
    out = []
    for i in range(count):
        lines, good = [], None
        if truths is not None:
            lines.append(picture_text("label {name}", name=name_of(truths[i], class_names)))
        if guesses is not None:
            share = "" if shares is None else f", {percent(float(shares[i]))}"
            name = name_of(guesses[i], class_names)
            lines.append(picture_text("predicted {name}{share}", name=name, share=share))
        if truths is not None and guesses is not None:
            kinds = {type(truths[i]), type(guesses[i])}
            good = truths[i] == guesses[i] if kinds in ({int}, {str}) else None
        out.append(Caption("\n".join(lines), good))
    return out


def captioned_grid(images: Sequence[Pixels], captions: Sequence[Caption], rows: int = -1) -> Pixels:
    """Lay out images row by row, each above its caption and in a frame of the caption's colour.

    A right prediction has a blue frame and a check mark, a wrong one an orange frame and a cross.

    Args:
        images: pixels as `vizkit.media.images.to_pixels` gives them; small ones are enlarged.
        captions: one for each image; without text there is no strip.
        rows: number of rows; -1 is as near to a square as possible.

    Returns:
        uint8, shape (h, w, 3), or (h, w, 4) if an image has alpha.

    Raises:
        DataError: there are no images, or ``rows`` is impossible.
    """
    cells = [_framed(image, caption) for image, caption in zip(images, captions, strict=True)]
    height = max((cell.shape[0] for cell in cells), default=0)
    width = max((cell.shape[1] for cell in cells), default=0)
    grounds = [caption_color(caption.good) for caption in captions]
    cells = [_filled(cell, (height, width), ground) for cell, ground in zip(cells, grounds, strict=True)]
    return image_grid(cells, rows, pad=_GAP)


def name_of(value: object, class_names: Sequence[str] | None = None) -> str:
    """Return the name of a class id; other numbers have four digits, texts stay as they are."""
    if isinstance(value, int):
        known = class_names is not None and 0 <= value < len(class_names)
        return text_of(class_names[value]) if class_names is not None and known else str(value)
    return f"{value:.4g}" if isinstance(value, float) else text_of(value)


def _values(given: ArrayLike, count: int, what: str) -> Sequence[object]:
    """Convert to n Python numbers or texts."""
    values: Sequence[object] | None = as_texts(given)
    if values is None:
        array = to_array(given)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise DataError(
                "{what} must be of shape [n] or [n, 1] for n images, got {given}",
                what=what,
                given=describe(given),
            )
        values = array.astype(np.int64).tolist() if array.dtype.kind in "biu" else array.tolist()
    if len(values) != count:
        raise DataError("{count} images need {count} {what}, got {n}", count=count, what=what, n=len(values))
    return values


def _guesses(given: ArrayLike, count: int) -> tuple[Sequence[object], AnyArray | None]:
    """The prediction for each image, and its probability if that is known."""
    shape = getattr(given, "shape", None)
    if shape is None and isinstance(given, (list, tuple)) and given and not isinstance(given[0], str):
        given = to_array(given)
        shape = given.shape
    if shape is None or len(shape) != 2 or shape[1] == 1:
        return _values(given, count, "predictions"), None
    scores = to_array(given)
    if len(scores) != count:
        raise DataError(
            "{count} images need {count} predictions, got {given}", count=count, given=describe(given)
        )
    guesses = scores.argmax(axis=1)
    return guesses.tolist(), scores.max(axis=1) if are_distributions(scores) else None


def percent(share: float) -> str:
    """Format 0.93 as ``93%``; less than 1 is never ``100%``."""
    return "nan%" if share != share else f"{min(round(100 * share), 99 if share < 1 else 100)}%"


def _framed(image: Pixels, caption: Caption) -> Pixels:
    cell = add_caption(image, caption.text, caption.good)
    height, width, channels = cell.shape
    out = np.empty((height + 2 * _FRAME, width + 2 * _FRAME, channels), np.uint8)
    out[0] = (*caption_color(caption.good), 255)[:channels]
    out[1:] = out[0]  # many times faster than a pixel at a time
    out[_FRAME:-_FRAME, _FRAME:-_FRAME] = cell
    return out


def _filled(cell: Pixels, size: tuple[int, int], ground: tuple[int, int, int]) -> Pixels:
    """Centre a cell at the top of a larger one."""
    if cell.shape[:2] == size:
        return cell
    out = np.empty((*size, cell.shape[2]), np.uint8)
    out[...] = (*ground, 255)[: cell.shape[2]]
    left = (size[1] - cell.shape[1]) // 2
    out[: cell.shape[0], left : left + cell.shape[1]] = cell
    return out


def add_caption(pixels: Pixels, text: str, good: bool | None = None) -> Pixels:
    """Add a strip of text below an image, such as its true and predicted class.

    Args:
        pixels: uint8, shape (H, W), (H, W, 3) or (H, W, 4). An image of less than about 140
            pixels is enlarged by a whole factor, each pixel to a square.
        text: wrapped at the image's width, and smaller if it is long; after 40 lines it is cut with an
            ellipsis. Line breaks are kept.
        good: True for a blue strip with a check mark, False for orange with a cross, None for grey.

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
    picture = enlarge(picture, factor)
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


def caption_color(good: bool | None) -> RGB:
    """Return the background colour of a caption."""
    return PLAIN if good is None else (_GOOD if good else _BAD)


def _checked_image(pixels: Pixels) -> Pixels:
    array = to_array(pixels)
    if array.dtype != np.uint8:
        raise DataError("pixels must be uint8, got {pixels}", pixels=describe(pixels))
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        raise DataError(
            "pixels must be of shape [H, W], [H, W, 3] or [H, W, 4], got {pixels}", pixels=describe(pixels)
        )
    return array


@functools.lru_cache(maxsize=64)  # the same words stand below the images of every evaluation
def _strip(text: str, good: bool | None, width: int) -> Pixels:
    """Draw the text on its background, shape (any, width, 3); it must not be changed."""
    from PIL import Image, ImageDraw

    text = drawable(text)[: _MAX_LINES * width]
    letters, lines = _typeset(text, width - 2 * _PAD, has_mark=good is not None)
    size, step = letters.size, letters.line_height
    mark = 0 if good is None else size + _PAD
    if len(lines) > _MAX_LINES:
        lines[_MAX_LINES - 1 :] = ["…"]

    ground, ink = caption_color(good), INK if good is None else PAPER
    image = Image.new("RGB", (width, len(lines) * step + 2 * _PAD), ground)
    if good is not None:
        image.paste(ink, (_PAD, _PAD + (step - size) // 2), _mark(bool(good), size))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        letters.write(draw, line, _PAD + mark, _PAD + row * step, ink)
    return np.asarray(image)


def _typeset(text: str, width: int, has_mark: bool) -> tuple[Letters, list[str]]:
    """Choose the size and break the lines: one line if little smaller, else a few, else small ones."""
    path_of = paths_for(text)
    full = min(max(14, width // 32), 48)
    for size, most in (*((size, 1) for size in range(full, full * 3 // 4, -1)), (full, _FEW_LINES)):
        letters = Letters(size, path_of)
        room = width - (size + _PAD if has_mark else 0)
        # Letters are hardly narrower than a fifth of their size: do not wrap far too long texts.
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
