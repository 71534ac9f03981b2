"""Predicted values against true ones, and their errors, drawn as pixels with no plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vizkit.media.images import enlarge
from vizkit.media.lettering import Letters, one_line, paths_for, picture_text
from vizkit.media.palette import INK, LINE, PAPER, color_ramp
from vizkit.metrics.arrays import Floats, Pixels

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["regression_image"]

_SIDE = 280  # pixels of a diagram
_CELLS = 70  # of a side: 4 pixels each
_ROOM = 64  # left of a diagram
_GAP = 28
_MOST = 6  # outputs that are drawn
_RAMP = "ffffff deebf7 c6dbef 9ecae1 6baed6 4292c6 2171b5 08519c 08306b"
_BAR = (66, 146, 198)
_ZERO = (217, 95, 2)


def regression_image(labels: Floats, predictions: Floats, names: Sequence[str]) -> Pixels:
    """Draw a row for each output: how often each prediction came for each true value, and the errors.

    Left, the darker a cell the more samples it holds; right predictions lie on the diagonal. Right, a
    histogram of the errors (prediction less label), with a line at 0; the largest 1 % of the errors are
    counted in the outer bars.

    Args:
        labels: shape (n, k), NaN for those that do not count.
        predictions: shape (n, k).
        names: of the k outputs, of which at most six are drawn.

    Returns:
        uint8, shape (h, w, 3).
    """
    rows: list[Pixels] = []
    for k in range(min(len(names), _MOST)):
        known = ~np.isnan(labels[:, k])
        name = names[k] if len(names) > 1 else ""
        if known.any() or (k == len(names) - 1 and not rows):
            rows.append(_row(labels[known, k], predictions[known, k], name))
    return np.concatenate(rows)


def _row(labels: Floats, predictions: Floats, name: str) -> Pixels:
    from PIL import Image, ImageDraw

    words = [picture_text("true"), picture_text("predicted"), picture_text("error"), picture_text("share")]
    letters, titles = Letters(11), Letters(14, paths_for("".join([*words, name])))
    line, title = letters.line_height, titles.line_height
    top = 10 + (title if name else 0)
    height, width = top + _SIDE + line + title + 10, 2 * (_ROOM + title + _SIDE) + 2 * _GAP
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    low, high = _range(np.concatenate([labels, predictions]))
    errors = predictions - labels
    reach = float(np.quantile(np.abs(errors), 0.99)) or float(np.abs(errors).max()) or 1.0

    left = _ROOM + title
    density = _density(labels, predictions, low, high)
    image.paste(Image.fromarray(enlarge(density, _SIDE // _CELLS)), (left, top))
    draw.line([(left, top + _SIDE), (left + _SIDE, top)], INK, 1)
    _frame(draw, left, top)
    _ticks(image, letters, low, high, left, top, upright=True)
    _ticks(image, letters, low, high, left, top)

    right = 2 * left + _SIDE + _GAP
    counts = np.histogram(errors.clip(-reach, reach), 40, (-reach, reach))[0]
    shares = counts / max(1, counts.sum())
    wide = _SIDE / len(counts)
    for i, share in enumerate(shares.tolist()):
        tall = share / shares.max() * (_SIDE - 8)
        if tall:
            start = round(right + i * wide)
            draw.rectangle(
                (start, top + _SIDE - max(tall, 1), round(right + (i + 1) * wide) - 2, top + _SIDE), _BAR
            )
    draw.line([(right + _SIDE // 2, top), (right + _SIDE // 2, top + _SIDE)], _ZERO, 2)
    _frame(draw, right, top)
    _ticks(image, letters, -reach, reach, right, top)
    most = letters.stamp(f"{shares.max():.1%}")
    image.paste(INK, (right - 6 - most.width, top + 8 - line // 2), most)

    if name:
        heading = titles.stamp(titles.shortened(one_line(name), _SIDE))
        image.paste(INK, (left, 4), heading)
    foot = top + _SIDE + line + 2
    for text, start in ((words[0], left), (words[2], right)):
        stamp = titles.stamp(text)
        image.paste(INK, (start + (_SIDE - stamp.width) // 2, foot), stamp)
    for text, start in ((words[1], 4), (words[3], right - left + 4)):
        stamp = titles.stamp(text).transpose(Image.Transpose.ROTATE_90)
        image.paste(INK, (start, top + (_SIDE - stamp.height) // 2), stamp)
    return np.asarray(image)


def _range(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    pad = 0.02 * (high - low) or abs(high) * 0.05 or 1.0
    return low - pad, high + pad


def _density(labels: Floats, predictions: Floats, low: float, high: float) -> Pixels:
    counts, _, _ = np.histogram2d(predictions, labels, _CELLS, [(low, high), (low, high)])
    shown = np.log1p(counts[::-1])
    colors = color_ramp(np.where(shown > 0, 0.15 + 0.85 * shown / max(shown.max(), 1e-9), 0), _RAMP)
    return colors.round().astype(np.uint8)


def _frame(draw: object, left: int, top: int) -> None:
    draw.rectangle((left, top, left + _SIDE, top + _SIDE), outline=LINE)  # type: ignore[attr-defined]


def _ticks(
    image: Image.Image,
    letters: Letters,
    low: float,
    high: float,
    left: int,
    top: int,
    *,
    upright: bool = False,
) -> None:
    for tick in range(3):
        value = low + (high - low) * (tick + 0.5) / 3
        stamp = letters.stamp(f"{value:.3g}" if abs(value) > 1e-9 * (high - low) else "0")
        at = round(_SIDE * (tick + 0.5) / 3)
        if upright:
            place = (left - 6 - stamp.width, top + _SIDE - at - letters.line_height // 2)
        else:
            place = (left + at - stamp.width // 2, top + _SIDE + 2)
        image.paste(INK, place, stamp)
