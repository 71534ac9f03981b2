"""Images laid out row by row as one image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vizkit.errors import DataError
from vizkit.metrics.arrays import Pixels

__all__ = ["image_grid", "tiled"]


def image_grid(images: Sequence[Pixels], rows: int = -1, pad: int = 0) -> Pixels:
    """Lay out images row by row as one image; smaller ones are centred on black.

    Args:
        images: pixels from `to_pixels`; their sizes may differ. If one has colour or transparency, all
            get it.
        rows: number of rows; -1 is as near to a square as possible.
        pad: black pixels between neighbours.

    Raises:
        DataError: there are no images, or ``rows`` or ``pad`` are impossible.
    """
    if not len(images):
        raise DataError("a grid needs one image or more, got none")
    given = rows
    if rows == -1:
        rows = math.ceil(math.sqrt(len(images)))
    if not 1 <= rows <= len(images):
        raise DataError("rows={rows} for {n} images; use -1 or 1 to {n}", rows=rows, n=len(images))
    if pad < 0:
        raise DataError("pad={pad} is below 0", pad=pad)
    return tiled(images, math.ceil(len(images) / rows), pad, given)


def tiled(images: Sequence[Pixels], columns: int, pad: int, rows: int = 0) -> Pixels:
    """Lay out images row by row, each centred in a cell of the largest height and width.

    There are at least ``rows`` rows; the cells that are left over are black.
    """
    channels = max(1 if image.ndim == 2 else image.shape[2] for image in images)
    height = max(image.shape[0] for image in images)
    width = max(image.shape[1] for image in images)
    rows = max(rows, math.ceil(len(images) / columns))
    canvas = np.zeros((rows * (height + pad) - pad, columns * (width + pad) - pad, channels), np.uint8)
    if channels == 4:
        canvas[..., 3] = 255  # opaque
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        top = row * (height + pad) + (height - image.shape[0]) // 2
        left = column * (width + pad) + (width - image.shape[1]) // 2
        cell = canvas[top : top + image.shape[0], left : left + image.shape[1]]
        if image.ndim == 2:
            cell[..., : min(channels, 3)] = image[..., np.newaxis]
        else:
            cell[..., : image.shape[2]] = image
    return canvas[..., 0] if channels == 1 else canvas
