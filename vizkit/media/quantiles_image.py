"""Calibration of predicted quantiles, drawn as pixels with no plotting library."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vizkit.media.lettering import Letters, one_line, paths_for, picture_text
from vizkit.media.palette import INK, LINE, PAPER
from vizkit.metrics.arrays import Floats, Pixels
from vizkit.metrics.quantiles import QuantileResult

__all__ = ["quantiles_image"]

_CURVE = (8, 81, 156)
_GAP = (253, 200, 145)  # light orange: as in the reliability diagram
_SIDE = 280  # pixels of a diagram
_FINE = 3  # drawn larger, then reduced for smooth lines
_MOST = 6  # outputs that are drawn


def quantiles_image(found: QuantileResult, names: Sequence[str]) -> Pixels:
    """Draw for each output how often labels lie at or below each predicted quantile.

    Points on the diagonal are calibrated; below it quantiles are too low. The gap to it is orange.

    Args:
        found: the quantiles of k outputs.
        names: of the outputs, of which at most six are drawn.

    Returns:
        uint8, shape (h, w, 3).
    """
    count = min(len(names), _MOST)
    several = names if len(names) > 1 else [""]
    return np.concatenate([_panel(found, k, several[k]) for k in range(count)], axis=1)


def _panel(found: QuantileResult, output: int, name: str) -> Pixels:
    from PIL import Image

    across, up = picture_text("level of the quantile"), picture_text("labels at or below it")
    says = picture_text("calibration error {error}", error=f"{found.calibration_error[output]:.3f}")
    heading = f"{one_line(name)}: {says}" if name else says
    letters, titles = Letters(11), Letters(14, paths_for(across + up + heading))
    line, title = letters.line_height, titles.line_height
    left, top = title + 44, title + 16
    image = Image.new("RGB", (left + _SIDE + 16, top + _SIDE + line + title + 10), PAPER)
    image.paste(Image.fromarray(_diagram(found.levels, found.below[:, output])), (left, top))
    stamp = titles.stamp(titles.shortened(heading, _SIDE))
    image.paste(INK, (left + (_SIDE - stamp.width) // 2, 6), stamp)
    stamp = titles.stamp(across)
    image.paste(INK, (left + (_SIDE - stamp.width) // 2, top + _SIDE + 4 + line), stamp)
    stamp = titles.stamp(up).transpose(Image.Transpose.ROTATE_90)
    image.paste(INK, (4, top + (_SIDE - stamp.height) // 2), stamp)
    for tick in range(6):
        stamp = letters.stamp(f"{tick / 5:g}")
        at = round(tick / 5 * _SIDE)
        image.paste(INK, (left + at - stamp.width // 2, top + _SIDE + 4), stamp)
        image.paste(INK, (left - 6 - stamp.width, top + _SIDE - at - line // 2), stamp)
    return np.asarray(image)


def _diagram(levels: Floats, below: Floats) -> Pixels:
    from PIL import Image, ImageDraw

    side = _SIDE * _FINE
    canvas = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(canvas)
    for tick in range(1, 5):
        at = side * tick / 5
        draw.line([(0, at), (side, at)], LINE, _FINE)
        draw.line([(at, 0), (at, side)], LINE, _FINE)
    points = [(side * level, side * (1 - share)) for level, share in zip(levels, below, strict=True)]
    ends = [(side * levels[-1], side * (1 - levels[-1])), (side * levels[0], side * (1 - levels[0]))]
    draw.polygon([*points, *ends], _GAP)
    for dash in np.arange(0, 1, 0.03):
        draw.line([(side * at, side * (1 - at)) for at in (dash, dash + 0.018)], INK, 4)
    draw.line(points, _CURVE, 2 * _FINE)
    for x, y in points:
        reach = 4 * _FINE
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), _CURVE)
    image = canvas.reduce(_FINE)
    ImageDraw.Draw(image).rectangle((0, 0, _SIDE - 1, _SIDE - 1), outline=LINE)
    return np.asarray(image)
