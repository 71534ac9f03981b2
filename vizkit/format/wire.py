"""The part of Protocol Buffers' wire format that VisualDL's records use.

See https://protobuf.dev/programming-guides/encoding/. It is written by hand because a scalar must cost
less than a protobuf object.
"""

from __future__ import annotations

import functools
import itertools
import mmap
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from vizkit.metrics.arrays import Ints

__all__ = [
    "SMALL",
    "Field",
    "Span",
    "double",
    "doubles",
    "field",
    "fields",
    "key",
    "length_delimited",
    "packed",
    "read_packed",
    "read_varint",
    "signed",
    "spans",
    "varint",
    "varint_rows",
]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Field = tuple[int, int, Any]
"""Field number, wire type and value: an int for varints, otherwise the raw bytes."""

Span = tuple[int, int, int, int]
"""Field number, wire type, the value's first byte and the byte after it."""

_MOST_NUMBER = (1 << 29) - 1  # of a field
_DOUBLE = struct.Struct("<d")


def varint(n: int) -> bytes:
    """Encode ``n`` in groups of 7 bits, the lowest first; negative numbers as 64-bit two's complement."""
    if 0 <= n < 0x80:
        return bytes((n,))
    if 0 <= n < 0x4000:
        return bytes((n & 0x7F | 0x80, n >> 7))
    if 0 <= n < 0x200000:
        return bytes((n & 0x7F | 0x80, n >> 7 & 0x7F | 0x80, n >> 14))
    n &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


_GROUPS = [bytes((n,)) for n in range(1 << 8)]
SMALL = _GROUPS[:128] + [low + high for high in _GROUPS[1:128] for low in _GROUPS[128:]]
"""All varints of one or two bytes; nearly every number is one of them."""


def key(number: int, wire_type: int) -> bytes:
    """The key in front of a field's value: its number and wire type."""
    return varint(number << 3 | wire_type)


def length_delimited(number: int, data: bytes) -> bytes:
    """A field of bytes, text or a message; written even when empty."""
    return _before(number, len(data)) + data


@functools.lru_cache(1 << 12)
def _before(number: int, size: int) -> bytes:
    """Key and length of a field."""
    return key(number, BYTES) + varint(size)


def double(number: int, value: float) -> bytes:
    """A field of one float64."""
    return key(number, FIXED64) + _DOUBLE.pack(value)


def packed(number: int, data: bytes) -> bytes:
    """A packed repeated field; left out when empty, as protobuf does."""
    return length_delimited(number, data) if data else b""


def doubles(number: int, values: Iterable[float]) -> bytes:
    """A packed repeated float64 field."""
    return packed(number, np.asarray(values, dtype="<f8").tobytes())


def varint_rows(values: Ints) -> list[bytes]:
    """The concatenated varints of each row of a matrix (n, m) of numbers of 0 or more."""
    unsigned = values.astype(np.uint64)
    width = max(-(-int(unsigned.max(initial=0)).bit_length() // 7), 1)
    groups = np.stack([unsigned >> np.uint64(7 * k) for k in range(width)], axis=-1)
    used = groups > 0
    used[..., 0] = True
    more = groups > 0x7F
    data = (groups & 0x7F | more.astype(np.uint64) << 7).astype(np.uint8)[used].tobytes()
    ends = used.sum(axis=(1, 2)).cumsum().tolist()
    return [data[start:end] for start, end in itertools.pairwise([0, *ends])]


def signed(n: int) -> int:
    """The int64 with the same bits as the unsigned ``n``."""
    return n - (1 << 64) if n >= 1 << 63 else n


def field(number: int, wire_type: int, value: int | bytes) -> bytes:
    """A field as `fields` gives it."""
    if isinstance(value, int):
        return key(number, wire_type) + varint(value)
    if wire_type == BYTES:
        return length_delimited(number, value)
    return key(number, wire_type) + value


def fields(data: bytes) -> Iterator[Field]:
    """The fields of one message, in order.

    Raises:
        ValueError: ``data`` is not a complete message.
    """
    pos, end = 0, len(data)
    while pos < end:
        tag, pos = read_varint(data, pos)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number <= _MOST_NUMBER:
            raise ValueError(f"there is no field {number}")
        if wire_type == VARINT:
            value, pos = read_varint(data, pos)
            yield number, wire_type, value
            continue
        if wire_type == BYTES:
            size, pos = read_varint(data, pos)
        elif wire_type == FIXED64:
            size = 8
        elif wire_type == FIXED32:
            size = 4
        else:
            raise ValueError(f"wire type {wire_type} at byte {pos}")
        if pos + size > end:
            raise ValueError(f"field {number} runs over the end of its message")
        yield number, wire_type, data[pos : pos + size]
        pos += size


def spans(read: Callable[[int, int], bytes | mmap.mmap], start: int, end: int) -> Iterator[Span]:
    """Where the values of a message's fields lie; the values are not read.

    Args:
        read: reads the bytes [start, end) of a larger whole.
        start: the message's first byte.
        end: the byte after it.

    Raises:
        ValueError: the bytes are not a complete message.
    """
    while start < end:
        head = read(start, min(start + 20, end))
        tag, at = read_varint(head, 0)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number <= _MOST_NUMBER:
            raise ValueError(f"there is no field {number}")
        first = start + at
        if wire_type == VARINT:
            size = read_varint(head, at)[1] - at
        elif wire_type == BYTES:
            size, after = read_varint(head, at)
            first = start + after
        elif wire_type in (FIXED64, FIXED32):
            size = 8 if wire_type == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type} at byte {start}")
        if first + size > end:
            raise ValueError(f"field {number} runs over the end of its message")
        yield number, wire_type, first, first + size
        start = first + size


def read_varint(data: bytes | mmap.mmap, pos: int) -> tuple[int, int]:
    """Read the unsigned varint at ``pos``; also return the position after it.

    Raises:
        ValueError: it does not end within ``data``, or within ten bytes.
    """
    result = shift = 0
    for index in range(pos, min(pos + 10, len(data))):
        byte = data[index]
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFFFFFFFFFFFFFF, index + 1
        shift += 7
    raise ValueError(f"varint at byte {pos} has no end")


def read_packed(data: int | bytes) -> list[int]:
    """Read the int64 numbers of one occurrence of a repeated field, packed or not."""
    if isinstance(data, int):
        return [signed(data)]
    out, pos = [], 0
    while pos < len(data):
        value, pos = read_varint(data, pos)
        out.append(signed(value))
    return out
