"""Reliability diagrams drawn as pixels, with no plotting library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizkit.media.lettering import Letters, paths_for, picture_text
from vizkit.media.palette import INK, LINE, PAPER
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
_FINE = 3  # drawn larger, then reduced for smooth lines


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
    for tick in range(6):
        stamp = letters.stamp(f"{tick / 5:g}")
        at = round(tick / 5 * _SIDE)
        image.paste(INK, (left + at - stamp.width // 2, foot), stamp)
        image.paste(INK, (left - 6 - stamp.width, top + _SIDE - at - line // 2), stamp)
    highest = int(reliability.counts.max()) / max(total, 1)
    most = letters.stamp(f"{highest:.0%}")
    image.paste(INK, (left - 6 - most.width, below - 2), most)
    return np.array(image)


def _diagram(reliability: Reliability) -> Image.Image:
    """Draw the bars of accuracy, their gaps and the diagonal."""
    from PIL import Image, ImageDraw

    side = _SIDE * _FINE
    canvas = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(canvas)
    for tick in range(1, 5):
        at = side * tick / 5
        draw.line([(0, at), (side, at)], LINE, _FINE)
        draw.line([(at, 0), (at, side)], LINE, _FINE)
    wide = side / BINS
    for k in np.flatnonzero(reliability.counts):
        came, said = float(reliability.accuracy[k]), float(reliability.confidence[k])
        start, end = k * wide + _FINE, (k + 1) * wide - _FINE
        draw.rectangle((start, side * (1 - came), end, side), _BAR)
        high, low = sorted((side * (1 - came), side * (1 - said)))
        draw.rectangle((start, high, end, low), _GAP, _GAP_EDGE, _FINE)
        draw.line([(start, side * (1 - came)), (end, side * (1 - came))], _TOP, 3 * _FINE)
    for dash in np.arange(0, 1, 0.03):
        ends = [(side * at, side * (1 - at)) for at in (dash, dash + 0.018)]
        draw.line(ends, INK, 4)
    return _framed(canvas)


def _shares(reliability: Reliability) -> Image.Image:
    """Draw the histogram of predictions, its highest bar at full height."""
    from PIL import Image, ImageDraw

    wide, height = _SIDE * _FINE / BINS, _LOW * _FINE
    canvas = Image.new("RGB", (_SIDE * _FINE, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    most = max(int(reliability.counts.max()), 1)
    for k in np.flatnonzero(reliability.counts):
        bar = max(height * int(reliability.counts[k]) / most, _FINE)
        draw.rectangle((k * wide + _FINE, height - bar, (k + 1) * wide - _FINE, height), _BAR)
    return _framed(canvas)


def _framed(canvas: Image.Image) -> Image.Image:
    """Reduce the canvas to its final size and draw a line around it."""
    from PIL import ImageDraw

    image = canvas.reduce(_FINE)
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=LINE)
    return image
