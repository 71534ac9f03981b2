"""Varints and words of a buffer, many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vizkit.metrics.arrays import Ints

__all__ = [
    "GROUPS",
    "PADDING",
    "Bytes",
    "Words",
    "close_up",
    "lengths_at",
    "varints",
    "wide_varints",
    "window",
    "words_of",
]

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

PADDING = 528
"""Bytes behind the content of a `window`."""

GROUPS = 0x7F7F7F7F7F7F7F7F
"""The bits of 8 bytes of a varint that belong to its number; the others mark where it ends."""

_LAST = ~np.uint64(GROUPS)
_ONES = np.uint64(0x0101010101010101)
_CLOSER = [
    (np.uint64(0x007F007F007F007F), np.uint64(0x7F007F007F007F00), np.uint64(1)),
    (np.uint64(0x00003FFF00003FFF), np.uint64(0x3FFF00003FFF0000), np.uint64(2)),
    (np.uint64(0x000000000FFFFFFF), np.uint64(0x0FFFFFFF00000000), np.uint64(4)),
]


def window(size: int) -> Bytes:
    """A buffer for ``size`` bytes, padded so that words can be read at its last bytes."""
    return np.zeros(size + PADDING, np.uint8)


def words_of(buf: Bytes) -> Words:
    """The 8 bytes from every position on as one little-endian number; nothing is copied."""
    return np.ndarray((len(buf) - 7,), "<u8", buf.data, strides=(1,))


def close_up(words: Words) -> Ints:
    """The numbers of varints whose other bits are cleared; in place.

    The groups of 7 bits are closed up in pairs, then fours, then all eight.
    """
    high = np.empty_like(words)
    for stay, move, by in _CLOSER:
        np.bitwise_and(words, move, out=high)
        high >>= by
        words &= stay
        words |= high
    return words.view(np.int64)


def varints(words: Words) -> tuple[Ints, Ints]:
    """The varint that each word begins with, and its width in bytes; 8 or more means unknown."""
    upto = ~words
    upto &= _LAST
    low = ~upto
    low += np.uint64(1)
    upto &= low  # the highest bit of the varint's last byte
    upto <<= np.uint64(1)
    upto -= np.uint64(1)
    np.bitwise_and(upto, _ONES, out=low)
    low *= _ONES
    low >>= np.uint64(56)
    upto &= words
    upto &= np.uint64(GROUPS)
    return close_up(upto), low.view(np.int64)


def lengths_at(buf: Bytes, at: Ints) -> tuple[Ints, Ints]:
    """The lengths of fields at some positions, -1 for one that is too long, and the positions behind them."""
    length = buf.take(at).astype(np.int64)
    at = at + 1
    if length.max(initial=0) >= 0x80:
        long = np.flatnonzero(length >= 0x80)
        second = buf.take(at[long]).astype(np.int64)
        length[long] += (second << 7) - 0x80
        at[long] += 1
        longer = long[second >= 0x80]
        if len(longer):
            value, width = varints(words_of(buf)[at[longer] - 2])
            length[longer] = np.where(width < 8, value, -1)
            at[longer] += np.where(width < 8, width - 2, -1)
    return length, at


def wide_varints(buf: Bytes, at: Ints) -> tuple[Ints, Ints]:
    """The varints of up to ten bytes at some positions, as int64, and their widths; 11 means unknown."""
    words = words_of(buf)[at]
    goes_on = (words & _LAST) == _LAST  # the eighth byte is not the last
    if goes_on.all():  # as times in ns, or steps below 0
        more = np.arange(len(at))
        value, width = close_up(words & np.uint64(GROUPS)), np.full(len(at), 8)
    else:
        more = np.flatnonzero(goes_on)
        value, width = varints(words)
    if len(more):
        behind = words_of(buf)[at[more] + 8].view(np.int64)
        ninth, tenth = behind & 0xFF, behind >> 8 & 0xFF
        ends = ninth < 0x80
        value[more] |= (ninth & 0x7F) << 56 | np.where(ends, 0, tenth << 63)
        width[more] = np.where(ends, 9, np.where(tenth < 0x80, 10, 11))
    return value, width
