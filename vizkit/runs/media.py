"""The records of a tag of any kind but scalar, decoded on access."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from vizkit._language import tr
from vizkit._warnings import warn
from vizkit.errors import DataError
from vizkit.format.packed_layers import PackedLayers
from vizkit.media.image_layers import Layers
from vizkit.metrics.arrays import AnyArray, Ints, Pixels
from vizkit.reading import Entries

__all__ = ["Images", "Media", "Parsed", "decode_image"]

_Content = TypeVar("_Content")


class Media(Sequence[_Content]):
    """The contents of a tag's records, in the order of their steps.

    Attributes:
        tag: the tag.
        entries: the records as the reader returns them.
    """

    def __init__(self, tag: str, entries: Entries[Any]) -> None:
        self.tag = tag
        self.entries = entries

    @property
    def steps(self) -> AnyArray:
        """(n,) int64; float64 where a fractional step was recorded."""
        return self.entries.steps

    @property
    def walltimes(self) -> Ints:
        """(n,) int64, milliseconds since 1970; `vizkit.format.walltime.NO_TIME` where there is no time."""
        return self.entries.walltimes

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> _Content: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Content]: ...
    def __getitem__(self, index: int | slice) -> _Content | list[_Content]:
        if isinstance(index, slice):
            return [self._decoded(i) for i in range(*index.indices(len(self)))]
        return self._decoded(index)

    def _decoded(self, index: int) -> _Content:
        content: _Content = self.entries[index]
        return content

    def readable(self, places: Iterable[int]) -> dict[int, _Content]:
        """The contents at some places; broken ones are left out with a warning.

        Raises:
            DataError: all of them are broken.
        """
        found: dict[int, _Content] = {}
        broken: list[DataError] = []

        def read(place: int) -> None:
            try:
                found[place] = self._decoded(place)
            except DataError as error:
                broken.append(error)

        for place in places:
            read(place)
        if broken and not found:
            raise broken[0]
        if broken:
            warn(
                "{tag}: {n} of {total} records left out: {error}",
                tag=self.tag,
                n=len(broken),
                total=len(broken) + len(found),
                error=broken[0],
            )
        return found

    def __repr__(self) -> str:
        steps = f", steps {self.steps[0]} to {self.steps[-1]}" if len(self) else ""
        return f"<{len(self)} x {self.entries.kind} {self.tag!r}{steps}>"


class Images(Media[Pixels]):
    """Images as uint8 arrays of shape (height, width, channels) with 1, 3 (RGB) or 4 (RGBA) channels."""

    def _decoded(self, index: int) -> Pixels:
        try:
            return decode_image(self.png(index))
        except (OSError, ValueError, SyntaxError) as error:  # Pillow raises any of them for a broken file
            raise DataError(
                "image {index} of {tag!r} cannot be decoded: {error}", index=index, tag=self.tag, error=error
            ) from error

    def png(self, index: int) -> bytes:
        """The image's file as it was recorded."""
        data: bytes = self.entries[index]
        return data

    def layers(self, index: int) -> Layers | None:
        """The image without anything drawn over it, and its masks and boxes; None if it has no layers.

        Raises:
            DataError: they are broken.
        """
        data = self.entries.layers(index)
        return PackedLayers.of(data).unpacked() if data else None


class Parsed(Media[_Content]):
    """Numbers that are recorded as texts.

    Args:
        tag: the tag.
        entries: the records as the reader returns them.
        parse: makes the numbers of a text.
    """

    def __init__(self, tag: str, entries: Entries[Any], parse: Callable[[str], _Content]) -> None:
        super().__init__(tag, entries)
        self._parse = parse

    def _decoded(self, index: int) -> _Content:
        return self._parse(self.entries[index])


def decode_image(data: bytes) -> Pixels:
    """An image file as uint8 of shape (height, width, channels) with 1, 3 (RGB) or 4 (RGBA) channels.

    Raises:
        OSError: not an image, a truncated one, or one of more than 178,956,970 pixels.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(data))
        with image:
            mode = image.mode
            if mode not in ("L", "RGB", "RGBA"):
                transparent = "A" in image.getbands() or "transparency" in image.info
                mode = "RGBA" if transparent else "L" if mode == "1" else "RGB"
            pixels = np.asarray(image.convert(mode), dtype=np.uint8)
    except (Image.DecompressionBombError, MemoryError) as error:
        raise OSError(tr("it has too many pixels: {error}", error=error)) from error
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
