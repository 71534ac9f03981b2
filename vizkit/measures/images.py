"""Pixels from images as training code holds them: any layout, any range, never altered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import DataError
from vizkit.measures.arrays import describe, to_array

__all__ = ["check_image", "grid", "to_pixels"]

Pixels = NDArray[np.uint8]
Range = tuple[float, float] | str | None

_BATCH_COLUMNS = 8
_NAN_COLOUR = (255, 0, 255)


def check_image(array: NDArray[Any], dataformats: str = "HWC") -> None:
    """Checks that ``array`` is an image, or a batch of them, in this layout; costs no pass over it.

    Raises:
        DataError: another number of axes, no pixels, complex numbers, an unknown layout, or a number
            of channels that is not 1, 3 or 4.
    """
    layout = dataformats.upper()
    if sorted(layout) not in (sorted("HW"), sorted("HWC"), sorted("NHWC")):
        raise DataError(f"dataformats must be HW, HWC, CHW, NHWC or NCHW, got {dataformats!r}")
    if array.ndim != len(layout) or 0 in array.shape or array.dtype.kind == "c":
        fitting = {2: "HW", 3: "HWC or CHW", 4: "NHWC or NCHW"}.get(array.ndim)
        hint = f"; try dataformats={fitting}" if fitting and array.ndim != len(layout) else ""
        raise DataError(f"{describe(array)} is no image of layout {layout}{hint}")
    if "C" in layout and array.shape[layout.index("C")] not in (1, 3, 4):
        other = layout.replace("HWC", "CHW") if "HWC" in layout else layout.replace("CHW", "HWC")
        hint = f"; try dataformats={other!r}" if array.shape[other.index("C")] in (1, 3, 4) else ""
        raise DataError(
            f"an image has 1, 3 or 4 channels, {describe(array)} has "
            f"{array.shape[layout.index('C')]} in layout {layout}{hint}"
        )


def to_pixels(
    img: Any,
    dataformats: str = "HWC",
    *,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    value_range: Range = None,
) -> Pixels:
    """An image, or a batch as a grid of 8 columns, as uint8 pixels of their own memory.

    What the numbers mean is taken from, in this order:

    - ``mean`` and ``std``: the image was normalised; ``img * std + mean`` is in [0, 1], or in
      [0, 255] where ``mean`` or ``std`` is above 1;
    - ``value_range``: the values drawn as 0 and 255, or ``"minmax"``;
    - bools, and integers that are all 0 or 1: a mask, drawn as 0 and 255;
    - uint8, and integers within [0, 255]: as they are; uint16: its upper 8 bits, rounded;
    - floats within [0, 1]: times 255; within [0, 255]: rounded;
    - all else: stretched from its smallest to its largest finite value.

    NaN pixels are drawn magenta; +Inf and -Inf as the largest and the smallest value.

    Args:
        img: array, tensor, PIL image or nested lists.
        dataformats: order of the axes, see `check_image`.
        mean: a number, or one a channel.
        std: a number, or one a channel.
        value_range: two values, or ``"minmax"``.

    Returns:
        uint8 of shape (H, W), (H, W, 3) or (H, W, 4).

    Raises:
        DataError: see `check_image`; or ``mean``, ``std`` or ``value_range`` make no sense.
    """
    array = to_array(img)
    check_image(array, dataformats)
    layout = dataformats.upper()
    order = [layout.index(axis) for axis in "NHWC" if axis in layout]
    array = array.transpose(order)
    if "C" not in layout:
        array = array[..., None]
    pixels = _scaled(array, mean, std, value_range)
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if "N" in layout:
        return grid(list(pixels), rows=math.ceil(len(pixels) / _BATCH_COLUMNS))
    return np.ascontiguousarray(pixels) if not np.may_share_memory(pixels, array) else pixels.copy()


def _scaled(array: NDArray[Any], mean: Any, std: Any, value_range: Range) -> Pixels:
    """Channels last in, the same shape as uint8 out (grey with NaN: three channels)."""
    if mean is None and std is None and value_range is None:
        if array.dtype == np.bool_:
            return array.astype(np.uint8) * np.uint8(255)
        if array.dtype.kind in "iu":
            low, high = int(array.min()), int(array.max())
            if low >= 0 and high <= 1:
                return array.astype(np.uint8) * np.uint8(255)
            if low >= 0 and high <= 255:
                return array.astype(np.uint8)
            value_range = (0, 65535) if array.dtype == np.uint16 else (low, high)
    numbers = array.astype(np.float32 if array.dtype.itemsize <= 2 or array.dtype == np.float32 else np.float64)
    if mean is not None or std is not None:
        numbers, largest = _denormalised(numbers, mean, std)
        value_range = value_range or (0.0, largest)
    low, high = float(numbers.min()), float(numbers.max())  # NaN and infinities show here
    finite = math.isfinite(low) and math.isfinite(high)
    known = None if finite else np.isfinite(numbers)
    if known is not None:
        inside = numbers[known]
        low, high = (float(inside.min()), float(inside.max())) if inside.size else (0.0, 1.0)
    black, white = _range(value_range, low, high)
    missing = None if finite else np.isnan(numbers).any(axis=-1)
    if missing is not None:
        numbers = np.nan_to_num(numbers, nan=black, posinf=white, neginf=black)
    if (black, white) != (0.0, 255.0):
        numbers = (numbers - black) * (255.0 / (white - black))
    pixels = np.rint(numbers).clip(0, 255).astype(np.uint8)
    if missing is not None and missing.any():
        if pixels.shape[-1] == 1:
            pixels = np.repeat(pixels, 3, axis=-1)
        pixels[missing, :3] = _NAN_COLOUR
    return pixels


def _denormalised(numbers: NDArray[Any], mean: Any, std: Any) -> tuple[NDArray[Any], float]:
    shift = np.asarray(0.0 if mean is None else mean, dtype=numbers.dtype)
    factor = np.asarray(1.0 if std is None else std, dtype=numbers.dtype)
    for name, value in (("mean", shift), ("std", factor)):
        if value.ndim > 1 or (value.ndim == 1 and len(value) not in (1, numbers.shape[-1])):
            raise DataError(
                f"{name} must be a number, or one for each of {numbers.shape[-1]} channels, got {value.tolist()}"
            )
    largest = 255.0 if max(shift.max(), factor.max()) > 1 else 1.0
    return numbers * factor + shift, largest


def _range(value_range: Range, low: float, high: float) -> tuple[float, float]:
    """What is drawn black and white, of finite values from ``low`` to ``high``."""
    if isinstance(value_range, str):
        if value_range != "minmax":
            raise DataError(f"value_range must be two numbers or 'minmax', got {value_range!r}")
    elif value_range is not None:
        black, white = map(float, value_range)
        if not (math.isfinite(black) and math.isfinite(white)) or black == white:
            raise DataError(f"value_range must be two different finite numbers, got {value_range!r}")
        return black, white
    elif low >= 0 and high <= 255:
        return (0.0, 1.0) if high <= 1 else (0.0, 255.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def grid(images: Sequence[Pixels], rows: int = -1) -> Pixels:
    """Several images as one, row by row; smaller ones are centred on black.

    Args:
        images: uint8 pixels as `to_pixels` gives them, of any sizes and channels.
        rows: number of rows; -1 makes it nearly square.

    Returns:
        uint8 of shape (H, W), (H, W, 3) or (H, W, 4), the most channels that an image has.

    Raises:
        DataError: no images, or a number of rows that is not -1 or 1 to their number.
    """
    count = len(images)
    if not count or rows == 0 or rows < -1 or rows > count:
        raise DataError(f"cannot lay out {count} images in {rows} rows")
    if rows == -1:
        rows = math.ceil(count / math.ceil(math.sqrt(count)))
    columns = math.ceil(count / rows)
    channels = max(image.shape[2] if image.ndim == 3 else 1 for image in images)
    height = max(image.shape[0] for image in images)
    width = max(image.shape[1] for image in images)
    out = np.zeros((rows * height, columns * width, channels), np.uint8)
    for index, image in enumerate(images):
        pixels = image if image.ndim == 3 else image[..., None]
        top = index // columns * height + (height - pixels.shape[0]) // 2
        left = index % columns * width + (width - pixels.shape[1]) // 2
        spot = out[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        if channels == 4 and pixels.shape[2] < 4:
            spot[..., :3], spot[..., 3] = pixels, 255
        else:
            spot[...] = pixels
    return out if channels > 1 else out[..., 0]
