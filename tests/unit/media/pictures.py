"""Helpers of tests that look at pixels, and a font for them."""

from __future__ import annotations

import numpy as np
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph
from numpy.typing import ArrayLike

from vizkit.metrics.arrays import Bools, Pixels

RNG = np.random.default_rng(11)


def noise(*shape: int) -> Pixels:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def enlarged(pixels: Pixels, factor: int) -> Pixels:
    rgb = pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)
    return np.kron(rgb, np.ones((factor, factor, 1), np.uint8))


def strip_of(image: Pixels, height: int = 140) -> Pixels:
    return image[height:, :, :3]


def ink_of(strip: Pixels) -> Bools:
    """Where something is drawn on the ground, whose colour is in the corner."""
    ink: Bools = (strip != strip[0, 0]).any(axis=2)
    return ink


def assert_inside(ink: Bools) -> None:
    assert ink.any()
    for border in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
        assert not border.any()


def luminance(color: ArrayLike) -> float:
    channels = np.asarray(color) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: ArrayLike, other: ArrayLike) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def around(image: Pixels, classes: int) -> tuple[Bools, Bools]:
    """What is drawn to the left of the matrix, and below it."""
    frame = (image == (208, 215, 222)).all(axis=2)
    left, bottom = frame.any(axis=0).argmax(), len(frame) - frame.any(axis=1)[::-1].argmax()
    ink = (image != 255).any(axis=2)
    return ink[:, :left], ink[bottom:]


def build_font(family: str, **heights: int) -> FontBuilder:
    """A font whose characters are rectangles of these heights, in thousandths of its size."""

    def glyph(height: int) -> Glyph:
        pen = TTGlyphPen(None)
        pen.moveTo((0, 0))
        for point in ((0, height), (1000, height), (1000, 0)):
            pen.lineTo(point)
        pen.closePath()
        return pen.glyph()

    names = [".notdef", *(f"uni{ord(character):04X}" for character in heights)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, heights), names[1:], strict=True)))
    builder.setupGlyf(dict(zip(names, map(glyph, (100, *heights.values())), strict=True)))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    return builder
