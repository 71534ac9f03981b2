"""Reliability diagrams drawn as pixels, with no plotting library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizkit.media.lettering import Letters, paths_for, picture_text
from vizkit.media.palette import INK, PAPER
from vizkit.media.unit_square import diagonal_mask, draw_frame, empty_square, write_ticks
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

    image = empty_square(_SIDE).copy()
    draw = ImageDraw.Draw(image)
    for k in np.flatnonzero(reliability.counts).tolist():
        came, said = (
            round(_SIDE * (1 - float(share[k]))) for share in (reliability.accuracy, reliability.confidence)
        )
        start, end = _bar(k)
        draw.rectangle((start, came, end, _SIDE), _BAR)
        draw.rectangle((start, min(came, said), end, max(came, said)), _GAP, _GAP_EDGE)
        draw.rectangle((start, came - 1, end, came + 1), _TOP)
    image.paste(INK, (0, 0), diagonal_mask(_SIDE))
    draw_frame(image)
    return image


def _shares(reliability: Reliability) -> Image.Image:
    """Draw the histogram of predictions, its highest bar at full height."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (_SIDE, _LOW), PAPER)
    draw = ImageDraw.Draw(image)
    most = max(int(reliability.counts.max()), 1)
    for k in np.flatnonzero(reliability.counts).tolist():
        start, end = _bar(k)
        high = max(round(_LOW * int(reliability.counts[k]) / most), 2)  # the frame is drawn over one
        draw.rectangle((start, _LOW - high, end, _LOW), _BAR)
    draw_frame(image)
    return image


def _bar(k: int) -> tuple[int, int]:
    """The first and the last column of a bin's bar."""
    wide = _SIDE // BINS
    return k * wide + 1, (k + 1) * wide - 2
