"""Encoding and decoding of PNG files, by OpenCV, or by Pillow if OpenCV cannot be loaded.

Pixels are uint8 arrays of shape (H, W) for grey, (H, W, 3) for RGB and (H, W, 4) for RGBA.
"""

from __future__ import annotations

import contextlib
import functools
import io
import zlib
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from vizkit._checks import describe
from vizkit._warnings import warn
from vizkit.errors import DataError
from vizkit.metrics.arrays import Pixels

__all__ = ["decode_indexes", "decode_png", "encode_indexes", "encode_png", "png_size", "resize_pixels"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # the signature and the chunk IHDR


@functools.cache
def _cv2() -> ModuleType | None:
    """OpenCV, or None if it cannot be loaded; then it warns, once."""
    try:
        import cv2
    except (ImportError, OSError) as error:  # not installed, or a shared library such as libGL is not
        warn(
            "OpenCV cannot be loaded ({error}): images are encoded by Pillow, which takes "
            "longer; pip install opencv-python-headless needs no libGL",
            error=error,
        )
        return None
    return cv2


def _check(pixels: Pixels) -> None:
    shape = np.shape(pixels)
    possible = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    if not possible or getattr(pixels, "dtype", None) != np.uint8:
        raise DataError(
            "pixels must be uint8 of shape (H, W), (H, W, 3) or (H, W, 4), got {pixels}",
            pixels=describe(pixels),
        )
    if 0 in shape:
        raise DataError("there are no pixels in {pixels}", pixels=describe(pixels))


def encode_png(pixels: Pixels, *, drawn: bool = False) -> bytes:
    """Encode exactly these pixels as a PNG file.

    Args:
        pixels: uint8 in one of the three shapes.
        drawn: whether they are a diagram or a map of few colours: its file is half as large, in less time,
            but a photograph would take longer.

    Raises:
        DataError: ``pixels`` are not uint8 in one of the three shapes, or there are none.
    """
    _check(pixels)
    cv2 = _cv2()
    if cv2 is None:
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="png", compress_level=1)
        return file.getvalue()
    done, data = False, b""
    with contextlib.suppress(cv2.error):  # raised by OpenCV 4; OpenCV 5 returns False
        done, data = cv2.imencode(".png", _swapped(cv2, pixels), _options(cv2, drawn))
    if not done:
        raise DataError(
            "OpenCV cannot encode {pixels}: PNG has at most a million pixels in a row",
            pixels=describe(pixels),
        )
    return bytes(data)


def _options(cv2: ModuleType, drawn: bool) -> list[int]:
    """OpenCV's fastest: zlib level 1, and differences to the row above where it can take these.

    Its defaults, which are as fast, are run lengths (better of photographs) of differences to the left.
    """
    if not hasattr(cv2, "IMWRITE_PNG_FILTER"):
        return []
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    if not drawn:  # after the level, which resets it
        options += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return options


def decode_png(data: bytes) -> Pixels:
    """Decode the pixels of a PNG file; 16 bit ones keep their upper 8 bits.

    Raises:
        DataError: ``data`` is not a whole PNG file.
    """
    if not data.startswith(_SIGNATURE):
        raise DataError("not a PNG file: {n} bytes that start with {data!r}", n=len(data), data=data[:8])
    cv2 = _cv2()
    if cv2 is None:
        return _decoded_by_pillow(data)
    found = None
    with contextlib.suppress(cv2.error):  # more pixels than OpenCV allows
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise DataError("OpenCV cannot decode a PNG file of {n} bytes", n=len(data))
    if found.dtype == np.uint16:
        found = (found >> 8).astype(np.uint8)
    pixels: Pixels = _swapped(cv2, found)
    return pixels


def encode_indexes(indexes: Pixels, colors: Sequence[tuple[int, int, int, int]]) -> bytes:
    """Encode a picture of few colours as a PNG file with a palette.

    Args:
        indexes: uint8, shape (H, W): the place of each pixel's colour.
        colors: red, green, blue and opacity, of at most 256 places.

    Raises:
        DataError: as of `encode_png`.
    """
    grey = encode_png(indexes, drawn=True)
    header = bytearray(grey[16:29])
    header[9] = 3  # the pixels are places of a palette, not brightness
    palette = np.array(colors, np.uint8).reshape(-1, 4)
    chunks = (
        (b"IHDR", bytes(header)),
        (b"PLTE", palette[:, :3].tobytes()),
        (b"tRNS", palette[:, 3].tobytes()),
    )
    return _SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks) + grey[_HEADER_END:]


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return len(data).to_bytes(4, "big") + name + data + check.to_bytes(4, "big")


def png_size(data: bytes) -> tuple[int, int]:
    """The height and width of a PNG file, from its header.

    Raises:
        DataError: ``data`` does not begin as a PNG file.
    """
    if len(data) < _HEADER_END or not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR":
        raise DataError("not a PNG file: {n} bytes that start with {data!r}", n=len(data), data=data[:8])
    return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")


def decode_indexes(data: bytes) -> Pixels:
    """Decode a PNG file with a palette: the place of each pixel's colour, uint8 of shape (H, W).

    Raises:
        DataError: ``data`` is no such file, or not a whole one.
    """
    from PIL import Image

    png_size(data)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.mode != "P":
                raise DataError("not a PNG file with a palette, but of mode {mode}", mode=image.mode)
            return np.array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            "Pillow cannot decode a PNG file of {n} bytes: {error}", n=len(data), error=error
        ) from None


def _decoded_by_pillow(data: bytes) -> Pixels:
    from PIL import Image

    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            "Pillow cannot decode a PNG file of {n} bytes: {error}", n=len(data), error=error
        ) from None
    if image.mode.startswith("I"):  # 16 bit grey
        return (np.asarray(image) >> 8).astype(np.uint8)
    if image.mode not in ("L", "RGB", "RGBA"):  # 1 bit, palette, grey with alpha
        clear = "A" in image.mode or "transparency" in image.info
        image = image.convert("L" if image.mode == "1" else "RGBA" if clear else "RGB")
    return np.array(image)


def resize_pixels(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize pixels.

    Args:
        pixels: uint8 of shape (H, W), (H, W, 3) or (H, W, 4).
        size: height and width in pixels. If either is smaller than before, pixels are averaged by area;
            otherwise they are repeated, so that no new colours appear.

    Raises:
        DataError: ``pixels`` are not uint8 in one of the three shapes, or ``size`` is not positive.
    """
    _check(pixels)
    height, width = size
    if height < 1 or width < 1:
        raise DataError(
            "an image cannot be {height} pixels high and {width} wide; use sizes of 1 and more",
            height=height,
            width=width,
        )
    if (height, width) == pixels.shape[:2]:
        return pixels.copy()
    smaller = height < pixels.shape[0] or width < pixels.shape[1]
    cv2 = _cv2()
    if cv2 is None:
        from PIL import Image

        how = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
        return np.array(Image.fromarray(pixels).resize((width, height), how))
    resized: Pixels = cv2.resize(
        pixels, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_NEAREST
    )
    return resized


def _swapped(cv2: ModuleType, pixels: Pixels) -> Pixels:
    """Convert RGB to OpenCV's BGR, and the other way round; alpha stays last."""
    if pixels.ndim == 2:
        return pixels
    order = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    swapped: Pixels = cv2.cvtColor(pixels, order)
    return swapped
