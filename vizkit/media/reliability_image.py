"""Reliability diagrams drawn as pixels, with no plotting library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizkit.media.lettering import Letters, paths_for, picture_text
from vizkit.media.palette import INK, PAPER
from vizkit.media.unit_square import FINE, draw_diagonal, framed, grid, write_ticks
from vizkit.metrics.arrays import Pixels
from vizkit.metrics.calibration import BINS, Reliability

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["reliability_image"]

_BAR = (66, 146, 198)
_TOP = (8, 81, 156)
_GAP = (253, 200, 145)  # light orange on blue: different for colour-blind readers, and in grey
_GAP_EDGE = (217, 95, 2)
_SIDE = 300  # pixels of the diagram, a multiple of BINS
_LOW = 60  # pixels of the histogram below it


def reliability_image(reliability: Reliability) -> Pixels:
    """Draw a reliability diagram (Guo et al. 2017), with a histogram of the predictions below it.

    Bars end, with a dark line, at the accuracy. From there to the mean probability, where they would
    end with perfect calibration, the gap is orange: above the line if probabilities are too high, below
    it if they are too low.

    Returns:
        uint8, shape (h, w, 3).
    """
    from PIL import Image

    confidence, accuracy = map(picture_text, reliability.axes)
    share, total = picture_text("share"), int(reliability.counts.sum())
    ece = f"ECE {reliability.ece:.4f}"
    says = (
        picture_text("{ece}, {n:,} predictions", ece=ece, n=total)
        if total
        else picture_text("no predictions")
    )
    letters, titles = Letters(11), Letters(14, paths_for(confidence + accuracy + share + says))
    line, title = letters.line_height, titles.line_height
    left, top = title + 44, title + 16
    below = top + _SIDE + 12
    foot = below + _LOW + 4
    image = Image.new("RGB", (left + _SIDE + 16, foot + line + title + 6), PAPER)
    image.paste(_diagram(reliability), (left, top))
    image.paste(_shares(reliability), (left, below))

    heading = titles.stamp(says)
    image.paste(INK, (left + (_SIDE - heading.width) // 2, 6), heading)
    name = titles.stamp(confidence)
    image.paste(INK, (left + (_SIDE - name.width) // 2, foot + line), name)
    for text, start, height in ((accuracy, top, _SIDE), (share, below, _LOW)):
        stamp = titles.stamp(text).transpose(Image.Transpose.ROTATE_90)
        image.paste(INK, (4, start + (height - stamp.height) // 2), stamp)
    write_ticks(image, letters, left, top, _SIDE, foot)
    highest = int(reliability.counts.max()) / max(total, 1)
    most = letters.stamp(f"{highest:.0%}")
    image.paste(INK, (left - 6 - most.width, below - 2), most)
    return np.array(image)


def _diagram(reliability: Reliability) -> Image.Image:
    """Draw the bars of accuracy, their gaps and the diagonal."""
    from PIL import ImageDraw

    canvas = grid(_SIDE)
    draw, side = ImageDraw.Draw(canvas), canvas.width
    wide = side / BINS
    for k in np.flatnonzero(reliability.counts):
        came, said = float(reliability.accuracy[k]), float(reliability.confidence[k])
        start, end = k * wide + FINE, (k + 1) * wide - FINE
        draw.rectangle((start, side * (1 - came), end, side), _BAR)
        high, low = sorted((side * (1 - came), side * (1 - said)))
        draw.rectangle((start, high, end, low), _GAP, _GAP_EDGE, FINE)
        draw.line([(start, side * (1 - came)), (end, side * (1 - came))], _TOP, 3 * FINE)
    draw_diagonal(draw, side)
    return framed(canvas)


def _shares(reliability: Reliability) -> Image.Image:
    """Draw the histogram of predictions, its highest bar at full height."""
    from PIL import Image, ImageDraw

    wide, height = _SIDE * FINE / BINS, _LOW * FINE
    canvas = Image.new("RGB", (_SIDE * FINE, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    most = max(int(reliability.counts.max()), 1)
    for k in np.flatnonzero(reliability.counts):
        bar = max(height * int(reliability.counts[k]) / most, FINE)
        draw.rectangle((k * wide + FINE, height - bar, (k + 1) * wide - FINE, height), _BAR)
    return framed(canvas)
