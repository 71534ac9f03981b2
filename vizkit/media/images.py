"""Conversion of images of any kind to the 8 bit pixels of a PNG.

Pixels are uint8 arrays of shape (H, W) for grey, (H, W, 3) for RGB and (H, W, 4) for RGBA, in
memory of their own: the caller's array is only read.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from vizkit._checks import describe
from vizkit._language import tr
from vizkit._protocols import ImageLike
from vizkit.errors import DataError
from vizkit.media.image_grid import tiled
from vizkit.media.png import resize_pixels
from vizkit.metrics.arrays import AnyArray, Pixels, to_array

if TYPE_CHECKING:
    from PIL.Image import Image
    from typing_extensions import TypeIs

__all__ = [
    "Channels",
    "ValueRange",
    "enlarge",
    "resize",
    "to_channels_last",
    "to_pixels",
    "to_pixels_each",
    "to_rgb",
]

Channels = float | Sequence[float] | AnyArray | None
"""A mean or a standard deviation: one number, or one for each channel."""

ValueRange = tuple[float, float] | str | None
"""The values that are drawn black and white, or "minmax"."""

_NAN = (255, 0, 255)  # magenta: no image has it by chance
_LAYOUTS = {"".join(order) for axes in ("HW", "HWC", "NHWC") for order in itertools.permutations(axes)}
_SWAPS = {"HWC": ("HWC", "CHW"), "NHWC": ("NHWC", "NCHW")}  # the usual orders
_COLUMNS = 8  # of a batch, as in VisualDL
_SLACK = 1e-3  # error of interpolation and float32 at 0 and 255
_BRIGHT = 2.0  # up to here an image in [0, 1] was made brighter; one in [0, 255] would be black
_PIL_MODES = ("1", "L", "RGB", "RGBA", "I", "F")  # their arrays hold the pixels themselves


def to_pixels(
    img: ImageLike,
    dataformats: str = "HWC",
    *,
    mean: Channels = None,
    std: Channels = None,
    value_range: ValueRange = None,
) -> Pixels:
    """Convert an image to pixels.

    Booleans become 0 and 255. Integers in 0..255 are kept, but an image of only 0 and 1 is a mask and
    becomes 0 and 255; a uint16 image above 255 is divided by 257. Floats in [0, 1] are multiplied by
    255, as are those up to 2 (an image made brighter), which are then clipped; floats in [0, 255] are
    rounded. All others are stretched from the smallest to the largest finite value. NaN is drawn
    magenta, which makes a grey image RGB, Inf white and -Inf black (255 and 0 in their channels).

    Args:
        img: an array, a tensor, nested lists or a PIL image (whose own layout is known).
        dataformats: the axes: "HW", or the letters of "HWC" or of "NHWC" in any order and either case.
            Where the channels can only be on another axis, as of shape (3, 32, 32), they are taken from
            there, and grey images need no axis of channels. A batch becomes a grid of at most 8 columns,
            scaled as one image.
        mean: mean with which ``img`` was normalised, one number or one for each channel. Drawn is
            ``img * std + mean``, in [0, 255] if a mean or std is above 1, otherwise in [0, 1].
        std: as ``mean``; 1 if only ``mean`` is given.
        value_range: the values to draw black and white, such as (-1, 1), with others clipped, or
            "minmax" for the smallest and the largest.

    Returns:
        Contiguous pixels, shape (H, W), (H, W, 3) or (H, W, 4).

    Raises:
        DataError: ``img`` is no image in ``dataformats``, or the other arguments make no sense.
    """
    array = to_channels_last(img, dataformats)
    pixels = _drawn(array, mean, std, value_range)
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if array.ndim == 4:
        return tiled(list(pixels), min(len(pixels), _COLUMNS), 0)
    return np.ascontiguousarray(pixels)


def to_pixels_each(
    images: Sequence[ImageLike] | AnyArray,
    dataformats: str = "HWC",
    *,
    mean: Channels = None,
    std: Channels = None,
    value_range: ValueRange = None,
) -> list[Pixels]:
    """Convert images to pixels, all on one scale to compare them.

    Args:
        images: images as for `to_pixels`, or an array of them; their sizes may differ. If types or
            channels differ, each is scaled on its own.
        dataformats: as for `to_pixels`, of one image.
        mean, std, value_range: as for `to_pixels`.

    Raises:
        DataError: as for `to_pixels`.
    """
    together = _together(images, dataformats)
    if together is not None:
        pixels = _drawn(together, mean, std, value_range)
        return [*np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)]
    arrays = [to_channels_last(image, dataformats) for image in images]
    if len({(array.dtype, array.shape[-1], array.ndim) for array in arrays}) != 1 or arrays[0].ndim != 3:
        return [
            to_pixels(image, dataformats, mean=mean, std=std, value_range=value_range) for image in images
        ]
    together = np.concatenate([array.reshape(-1, array.shape[-1]) for array in arrays])
    pixels = _drawn(together, mean, std, value_range)
    ends = np.cumsum([array.shape[0] * array.shape[1] for array in arrays])
    shape = (-1,) if pixels.shape[-1] > 1 else ()
    return [
        part.reshape(*array.shape[:2], *shape).copy()
        for part, array in zip(np.split(pixels, ends[:-1]), arrays, strict=True)
    ]


def _together(images: Sequence[ImageLike] | AnyArray, dataformats: str) -> AnyArray | None:
    """Many arrays of one shape and type as (N, H, W, C), many times faster than one by one; else None."""
    if len(images) < 2 or dataformats not in ("HWC", "CHW"):
        return None
    kinds = {(each.shape, each.dtype) if type(each) is np.ndarray else None for each in images}
    shape, _ = kinds.pop() or ((), None)
    if kinds or len(shape) != 3 or 0 in shape:
        return None
    to_channels_last(images[0], dataformats)  # raises as of a single image
    return to_channels_last(np.stack(cast("Sequence[AnyArray]", images)), f"N{dataformats}")


def resize(pixels: Pixels, scale: float) -> Pixels:
    """Resize pixels by a factor: averaged by area if smaller, repeated if larger.

    Raises:
        DataError: ``scale`` is not positive and finite.
    """
    if not (0 < scale < math.inf):
        raise DataError("scale={scale!r} is not a positive number", scale=scale)
    return resize_pixels(
        pixels, (max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale)))
    )


def enlarge(pixels: AnyArray, factor: int) -> AnyArray:
    """Repeat each pixel of shape (H, W) or (H, W, C) as a square of ``factor`` by ``factor``."""
    # Rows last: they are copied as a whole.
    return pixels if factor == 1 else pixels.repeat(factor, axis=1).repeat(factor, axis=0)


def to_rgb(pixels: Pixels) -> Pixels:
    """Convert pixels to RGB, shape (H, W, 3); transparent ones are drawn on white."""
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    if pixels.shape[2] == 1:
        return pixels.repeat(3, axis=2)
    if pixels.shape[2] == 3:
        return pixels
    share = pixels[..., 3:] / 255
    return np.rint(pixels[..., :3] * share + 255 * (1 - share)).astype(np.uint8)


def to_channels_last(img: ImageLike, dataformats: str) -> AnyArray:
    """Arrange an image as (H, W, C) or (N, H, W, C), usually a view; costs no pass over it.

    Raises:
        DataError: ``img`` is no image in ``dataformats``.
    """
    if _is_pil(img):
        array = _pil_array(img)
        dataformats = "HWC"[: array.ndim]
    else:
        array = to_array(img)
    if array.dtype.kind == "c":
        raise DataError("an image needs real numbers, got {img}; take its abs() or .real", img=describe(img))
    if dataformats == "HWC" and array.ndim == 3 and array.size and array.shape[2] in (1, 3, 4):
        return array  # the common case, fast
    letters = dataformats.upper() if isinstance(dataformats, str) else ""
    if letters not in _LAYOUTS:
        raise DataError(
            'dataformats={dataformats!r} does not name the axes of an image; use "HW", "HWC", '
            '"CHW", "NHWC" or "NCHW"',
            dataformats=dataformats,
        )
    if array.ndim == len(letters) - 1:
        letters = _without_axis(letters, array.shape)
    elif array.ndim == len(letters) + 1:
        array = _without_single_axis(array, letters)
    if array.ndim != len(letters):
        fitting = {2: '"HW"', 3: '"HWC" or "CHW"', 4: '"NHWC" or "NCHW"'}.get(array.ndim)
        way = tr("try dataformats={fitting}", fitting=fitting) if fitting else tr("reshape it to 2, 3 or 4")
        raise DataError(
            "an image of shape {shape} has {axes} axes, but dataformats={dataformats!r} names {n}; {way}",
            shape=list(array.shape),
            axes=array.ndim,
            dataformats=dataformats,
            n=len(letters),
            way=way,
        )
    if not array.size:
        raise DataError("an image of shape {shape} has no pixels", shape=list(array.shape))
    shape = list(array.shape)
    if "C" not in letters:
        letters += "C"
        array = array[..., np.newaxis]
    order = "NHWC"[-len(letters) :]
    channels = array.shape[letters.index("C")]
    if channels not in (1, 3, 4):
        usual = _SWAPS.get(order, ())
        others = [other for other in usual if array.shape[other.index("C")] in (1, 3, 4)]
        if letters not in usual or not others:
            raise DataError(
                "an image has 1, 3 or 4 channels, but under dataformats={dataformats!r} one of shape "
                "{shape} has {channels}; choose 1 or 3 of them, or log each by itself",
                dataformats=dataformats,
                shape=shape,
                channels=channels,
            )
        letters = others[0]  # which is all that it can be
    if letters != order:
        array = array.transpose([letters.index(letter) for letter in order])
    return array


def _without_single_axis(array: AnyArray, letters: str) -> AnyArray:
    """The image of a batch of one, and of a single channel under ``HW``; any other array as it is."""
    if len(letters) == 3:
        return array[0] if array.shape[0] == 1 else array
    if len(letters) == 2 and 1 in (array.shape[0], array.shape[2]):
        return array[..., 0] if array.shape[2] == 1 else array[0]
    return array


def _without_axis(letters: str, shape: tuple[int, ...]) -> str:
    """The axes of an array that has one fewer than ``letters`` names: a grey image or batch, or no batch."""
    if len(letters) == 3:
        return letters.replace("C", "")
    one = letters.replace("N", "")
    if len(letters) < 3 or shape[one.index("C")] not in (1, 3, 4):
        return letters.replace("C", "")
    return one if one.endswith("C") else letters  # [3, h, w] may be an image of 3 channels or 3 grey ones


def _is_pil(img: ImageLike) -> TypeIs[Image]:
    """Recognise a PIL image without importing PIL."""
    return type(img) is not np.ndarray and hasattr(img, "getbands") and hasattr(img, "convert")


def _pil_array(img: Image) -> AnyArray:
    if img.mode not in _PIL_MODES and not img.mode.startswith("I;"):
        clear = "A" in img.getbands() or "transparency" in img.info
        img = img.convert("RGBA" if clear else "RGB")
    return np.asarray(img)


def _drawn(array: AnyArray, mean: Channels, std: Channels, value_range: ValueRange) -> Pixels:
    """Convert to uint8 of the same shape (..., C); a grey image with NaN to (..., 3)."""
    if value_range is not None and not isinstance(value_range, str):
        value_range = _checked_range(value_range)
    elif value_range not in (None, "minmax"):
        raise DataError(
            'value_range={value_range!r} is unknown; use (low, high) or "minmax"', value_range=value_range
        )
    if mean is not None or std is not None:
        array, natural = _denormalised(array, mean, std)
        value_range = natural if value_range is None else value_range
    if array.dtype.kind != "f":
        return _from_integers(array, value_range)
    if array.dtype == np.float16:
        array = array.astype(np.float32)  # 255 steps and more need more than 11 bits
    low, high = _ends(array)
    if math.isfinite(low) and math.isfinite(high):
        return _from_floats(array, low, high, value_range)
    finite = np.isfinite(array)
    low, high = _ends(array[finite]) if finite.any() else (0.0, 0.0)
    pixels = _from_floats(np.where(finite, array, array.dtype.type(low)), low, high, value_range)
    pixels[array == np.inf] = 255
    pixels[array == -np.inf] = 0
    missing = np.isnan(array).any(axis=-1)
    if missing.any():
        if pixels.shape[-1] == 1:
            pixels = np.repeat(pixels, 3, axis=-1)
        pixels[missing] = (*_NAN, 255)[: pixels.shape[-1]]
    return pixels


def _denormalised(array: AnyArray, mean: Channels, std: Channels) -> tuple[AnyArray, tuple[float, float]]:
    """Return ``array * std + mean``, and the range of the image before it was normalised."""
    channels = array.shape[-1]
    factors = []
    for name, given, default in (("std", std, 1.0), ("mean", mean, 0.0)):
        factor = to_array(default if given is None else given).astype(np.float64).reshape(-1)
        if factor.size not in (1, channels) or not np.isfinite(factor).all():
            raise DataError(
                "{name}={given!r} for {channels} channels; use one finite number, or {channels}",
                name=name,
                given=given,
                channels=channels,
            )
        factors.append(factor)
    top = 255.0 if max(factor.max() for factor in factors) > 1 else 1.0
    kind = np.promote_types(array.dtype, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        restored = array * factors[0].astype(kind)
        restored += factors[1].astype(kind)
    return restored, (0.0, top)


def _checked_range(value_range: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in value_range)
    except (TypeError, ValueError):
        raise DataError(
            'value_range={value_range!r} is no range; use (low, high) or "minmax"', value_range=value_range
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DataError(
            "value_range={value_range!r} must be finite, with the lower end first", value_range=value_range
        )
    return low, high


def _ends(array: AnyArray) -> tuple[float, float]:
    with np.errstate(invalid="ignore"):
        return float(array.min()), float(array.max())


def _from_integers(array: AnyArray, value_range: ValueRange) -> Pixels:
    """Convert integers and booleans to uint8."""
    low, high = int(array.min()), int(array.max())
    if low >= 0 and value_range in (None, (0, 255)):
        if high <= 1 and value_range is None:  # a mask
            return array.astype(np.uint8) * np.uint8(255)
        if high <= 255:
            return array.astype(np.uint8)
        if array.dtype == np.uint16 and value_range is None:
            return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return _stretched(array, value_range if isinstance(value_range, tuple) else (low, high))


def _from_floats(array: AnyArray, low: float, high: float, value_range: ValueRange) -> Pixels:
    """Convert finite values from ``low`` to ``high`` to uint8."""
    if value_range is None and low >= -_SLACK:
        if high <= _BRIGHT:
            if high > 1:
                array = np.minimum(array, array.dtype.type(1))
            return _rounded(array * array.dtype.type(255))
        if high <= 255 * (1 + _SLACK):
            return _rounded(np.minimum(array, array.dtype.type(255)))
    return _stretched(array, value_range if isinstance(value_range, tuple) else (low, high))


def _stretched(array: AnyArray, ends: tuple[float, float]) -> Pixels:
    """Stretch finite values between ``ends`` over 0 to 255, and clip the others."""
    low, high = ends
    width = high / 2 - low / 2  # halves: the whole may overflow
    if not width > 0:  # a constant image has no darkest and no brightest value
        return np.full(array.shape, 128, np.uint8)
    part = array.astype(np.float64)
    part /= 2
    part -= low / 2
    part /= width
    np.clip(part, 0, 1, out=part)
    part *= 255
    return _rounded(part)


def _rounded(values: AnyArray) -> Pixels:
    """Round a temporary array of values in (-0.5, 255.5)."""
    pixels: Pixels = np.rint(values, out=values).astype(np.uint8)
    return pixels
