"""Small pictures of large images, for grids of many."""

from __future__ import annotations

import io
from threading import BoundedSemaphore

__all__ = ["thumbnail"]

_SMALL = 1 << 16  # bytes: such a file is sent as it is
_MOST_PIXELS = 1 << 26  # of an image that is decoded here
_QUALITY = 90
_decoding = BoundedSemaphore(2)  # images that are in memory at once


def thumbnail(data: bytes, side: int) -> bytes:
    """Make an image file smaller, so that its longer side has ``side`` pixels.

    Returns:
        A JPEG file, or PNG where it has transparent pixels; ``data`` if that is small in bytes or pixels, or
        cannot be read.
    """
    if len(data) <= _SMALL:
        return data
    from PIL import Image

    try:
        with _decoding, Image.open(io.BytesIO(data)) as image:
            if max(image.size) <= side or image.width * image.height > _MOST_PIXELS:
                return data
            clear = "A" in image.getbands() or "transparency" in image.info
            plain = image.convert("RGBA" if clear else "L" if image.mode in ("1", "L") else "RGB")
            plain.thumbnail((side, side), Image.Resampling.BOX)
            file = io.BytesIO()
            if clear:
                plain.save(file, format="png", compress_level=3)
            else:
                plain.save(file, format="jpeg", quality=_QUALITY)
            return file.getvalue()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return data  # the browser says what it thinks of it
