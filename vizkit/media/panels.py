"""Grids of images, each with its label and its prediction below, right and wrong told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.media.drawing import captioned, ground_of
from vizkit.media.images import image_grid
from vizkit.metrics.activation import are_distributions
from vizkit.metrics.arrays import to_array

__all__ = ["Caption", "captioned_grid", "captions_of", "name_of", "percent"]

_Pixels = NDArray[np.uint8]

_FRAME = 4  # pixels around an image, in the colour of its caption
_GAP = 4


class Caption(NamedTuple):
    """What stands below an image.

    Attributes:
        text: its lines.
        good: whether the prediction is right; None if that cannot be said.
    """

    text: str
    good: bool | None = None


def captions_of(
    count: int, labels: Any = None, predictions: Any = None, class_names: Sequence[str] | None = None
) -> list[Caption]:
    """A caption for each image: ``label cat``, and ``predicted dog, 93%`` below it.

    Args:
        count: of images, n.
        labels: (n,) or (n, 1) class numbers or other numbers, or n texts.
        predictions: the same, or (n, c) scores, of which the largest counts; its probability is
            written if each row is a distribution.
        class_names: what classes are called; those without a name go by their number.

    Raises:
        DataError: labels or predictions that are not n, or of another shape.
    """
    truths = None if labels is None else _values(labels, count, "labels")
    guesses, shares = (None, None) if predictions is None else _guesses(predictions, count)
    out = []
    for i in range(count):
        lines, good = [], None
        if truths is not None:
            lines.append(f"label {name_of(truths[i], class_names)}")
        if guesses is not None:
            share = "" if shares is None else f", {percent(float(shares[i]))}"
            lines.append(f"predicted {name_of(guesses[i], class_names)}{share}")
        if truths is not None and guesses is not None:
            kinds = {type(truths[i]), type(guesses[i])}
            good = truths[i] == guesses[i] if kinds in ({int}, {str}) else None
        out.append(Caption("\n".join(lines), good))
    return out


def captioned_grid(images: Sequence[_Pixels], captions: Sequence[Caption], rows: int = -1) -> _Pixels:
    """One image of many, row by row, each above its caption and framed in the caption's colour.

    What is right has a blue frame and a check mark, what is wrong an orange one and a cross.

    Args:
        images: pixels as `vizkit.media.images.to_pixels` gives them; small ones are enlarged.
        captions: one for each; no text, no strip.
        rows: how many rows there are; -1 is as near to a square as possible.

    Returns:
        uint8, shape (h, w, 3), or (h, w, 4) if an image has alpha.

    Raises:
        DataError: there are no images, or ``rows`` is impossible.
    """
    cells = [_framed(image, caption) for image, caption in zip(images, captions, strict=True)]
    height = max((cell.shape[0] for cell in cells), default=0)
    width = max((cell.shape[1] for cell in cells), default=0)
    grounds = [ground_of(caption.good) for caption in captions]
    cells = [_filled(cell, (height, width), ground) for cell, ground in zip(cells, grounds, strict=True)]
    return image_grid(cells, rows, pad=_GAP)


def name_of(value: Any, class_names: Sequence[str] | None = None) -> str:
    """What a class number, another number or a text is called in a picture."""
    if isinstance(value, int):
        known = class_names is not None and 0 <= value < len(class_names)
        return str(class_names[value]) if class_names is not None and known else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _values(given: Any, count: int, what: str) -> list[Any]:
    """n Python numbers or texts."""
    texts = isinstance(given, (list, tuple)) and any(isinstance(value, str) for value in given)
    values = [str(value) for value in given] if texts else None
    if values is None:
        array = to_array(given)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise DataError(f"{what} must be of shape [n] or [n, 1] for n images, got {describe(given)}")
        values = array.astype(np.int64).tolist() if array.dtype.kind in "biu" else array.tolist()
    if len(values) != count:
        raise DataError(f"{count} images need {count} {what}, got {len(values)}")
    return values


def _guesses(given: Any, count: int) -> tuple[list[Any], NDArray[Any] | None]:
    """What is predicted for each image, and with which probability if that is known."""
    shape = getattr(given, "shape", None)
    if shape is None and isinstance(given, (list, tuple)) and given and not isinstance(given[0], str):
        given = to_array(given)
        shape = given.shape
    if shape is None or len(shape) != 2 or shape[1] == 1:
        return _values(given, count, "predictions"), None
    scores = to_array(given)
    if len(scores) != count:
        raise DataError(f"{count} images need {count} predictions, got {describe(given)}")
    guesses = scores.argmax(axis=1)
    return guesses.tolist(), scores.max(axis=1) if are_distributions(scores) else None


def percent(share: float) -> str:
    """``93%`` of 0.93, and never ``100%`` of less than 1."""
    return "nan%" if share != share else f"{min(round(100 * share), 99 if share < 1 else 100)}%"


def _framed(image: _Pixels, caption: Caption) -> _Pixels:
    cell = captioned(image, caption.text, caption.good)
    height, width, channels = cell.shape
    out = np.empty((height + 2 * _FRAME, width + 2 * _FRAME, channels), np.uint8)
    out[0] = (*ground_of(caption.good), 255)[:channels]
    out[1:] = out[0]  # many times faster than a pixel at a time
    out[_FRAME:-_FRAME, _FRAME:-_FRAME] = cell
    return out


def _filled(cell: _Pixels, size: tuple[int, int], ground: tuple[int, int, int]) -> _Pixels:
    """The cell at the top middle of a larger one."""
    if cell.shape[:2] == size:
        return cell
    out = np.empty((*size, cell.shape[2]), np.uint8)
    out[...] = (*ground, 255)[: cell.shape[2]]
    left = (size[1] - cell.shape[1]) // 2
    out[: cell.shape[0], left : left + cell.shape[1]] = cell
    return out
