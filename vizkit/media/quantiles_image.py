"""Calibration of predicted quantiles, drawn as pixels with no plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vizkit.media.lettering import Letters, one_line, paths_for, picture_text
from vizkit.media.palette import INK, PAPER
from vizkit.media.unit_square import FINE, draw_diagonal, framed, grid, write_ticks
from vizkit.metrics.arrays import Floats, Pixels
from vizkit.metrics.quantiles import QuantileResult

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["quantiles_image"]

_CURVE = (8, 81, 156)
_GAP = (253, 200, 145)  # light orange: as in the reliability diagram
_SIDE = 280  # pixels of a diagram
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
    image.paste(_diagram(found.levels, found.below[:, output]), (left, top))
    stamp = titles.stamp(titles.shortened(heading, _SIDE))
    image.paste(INK, (left + (_SIDE - stamp.width) // 2, 6), stamp)
    stamp = titles.stamp(across)
    image.paste(INK, (left + (_SIDE - stamp.width) // 2, top + _SIDE + 4 + line), stamp)
    stamp = titles.stamp(up).transpose(Image.Transpose.ROTATE_90)
    image.paste(INK, (4, top + (_SIDE - stamp.height) // 2), stamp)
    write_ticks(image, letters, left, top, _SIDE, top + _SIDE + 4)
    return np.asarray(image)


def _diagram(levels: Floats, below: Floats) -> Image.Image:
    from PIL import ImageDraw

    canvas = grid(_SIDE)
    draw, side = ImageDraw.Draw(canvas), canvas.width
    points = [(side * level, side * (1 - share)) for level, share in zip(levels, below, strict=True)]
    ends = [(side * levels[-1], side * (1 - levels[-1])), (side * levels[0], side * (1 - levels[0]))]
    draw.polygon([*points, *ends], _GAP)
    draw_diagonal(draw, side)
    draw.line(points, _CURVE, 2 * FINE)
    for x, y in points:
        reach = 4 * FINE
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), _CURVE)
    return framed(canvas)
