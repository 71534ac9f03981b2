"""Packs: files that hold images, texts and layers of tables, each once, found by a digest of its content.

==========  ==========================================================
bytes       content
==========  ==========================================================
16          ``VizKit inputs 1`` and a line feed
8           number n of contents, unsigned, little-endian like all here
8 n         their digests, unsigned
8 n         where each ends, counted from the first content's begin
n           their kinds: 0 a text in UTF-8, 1 a PNG file, 2 layers (`vizkit.format.packed_layers`)
the rest    the contents, one after the other
==========  ==========================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray

__all__ = [
    "OVERLAYS",
    "PACK_ENDING",
    "PNG",
    "TEXT",
    "PackIndex",
    "PackPlace",
    "digest_of",
    "encode_pack",
    "read_arrays",
    "read_index",
]

TEXT, PNG, OVERLAYS = 0, 1, 2

PACK_ENDING = ".pack"

_HEAD_BYTES = 24
_MAGIC = b"VizKit inputs 1\n"
_MOST = 10_000_000  # contents of a pack
_LARGEST = 64 << 20  # bytes of a content


class PackPlace(NamedTuple):
    """The place of a content in a pack: its first byte, the byte after it, and its kind."""

    start: int
    end: int
    kind: int


def digest_of(*parts: bytes | memoryview) -> int:
    """The digest of a content: a number from 1 on, below 2^64."""
    found = hashlib.blake2b(digest_size=8)
    for part in parts:
        found.update(part)
    return int.from_bytes(found.digest(), "little") or 1


def encode_pack(contents: Mapping[int, tuple[int, bytes]]) -> bytes:
    """The bytes of a pack.

    Args:
        contents: digest -> kind and content.
    """
    kinds = bytes(kind for kind, _ in contents.values())
    ends = np.cumsum([len(content) for _, content in contents.values()], dtype="<u8")
    head = [_MAGIC, len(contents).to_bytes(8, "little"), np.array([*contents], "<u8").tobytes()]
    return b"".join([*head, ends.tobytes(), kinds, *(content for _, content in contents.values())])


class PackIndex(NamedTuple):
    """Places of the contents of a pack, as arrays (n,).

    Attributes:
        digests: of each content, uint64.
        starts: its first byte in the file, uint64.
        ends: the byte after it, uint64.
        kinds: its kind, uint8.
    """

    digests: AnyArray
    starts: AnyArray
    ends: AnyArray
    kinds: AnyArray


def read_arrays(read: Callable[[int, int], bytes], size: int) -> PackIndex:
    """The places of a pack's contents as arrays, which takes the same time for many contents as for few.

    Args:
        read: reads bytes of the file, from a position up to another.
        size: bytes of the file.

    Raises:
        DataError: it is no pack, or not whole.
    """
    head = read(0, _HEAD_BYTES)
    count = int.from_bytes(head[16:], "little")
    begin = _HEAD_BYTES + 17 * count
    if not head.startswith(_MAGIC) or len(head) < _HEAD_BYTES or count > _MOST or begin > size:
        raise DataError("it is no pack of inputs, or not whole")
    data = read(_HEAD_BYTES, begin)
    if len(data) != 17 * count:
        raise DataError("it is no pack of inputs, or not whole")
    digests: AnyArray = np.frombuffer(data, "<u8", count)
    ends: AnyArray = np.frombuffer(data, "<u8", count, 8 * count)
    starts = np.concatenate([np.zeros(1, "<u8"), ends])[:count]
    if count and (int(ends[-1]) != size - begin or (starts > ends).any() or (ends - starts).max() > _LARGEST):
        raise DataError("it is no pack of inputs, or not whole")
    kinds = np.frombuffer(data, np.uint8, count, 16 * count)
    return PackIndex(digests, starts + np.uint64(begin), ends + np.uint64(begin), kinds)


def read_index(read: Callable[[int, int], bytes], size: int) -> dict[int, PackPlace]:
    """The places of a pack's contents by their digests; arguments and errors as of `read_arrays`."""
    digests, *places = (array.tolist() for array in read_arrays(read, size))
    return dict(zip(digests, map(PackPlace, *places), strict=True))
