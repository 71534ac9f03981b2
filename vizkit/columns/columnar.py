"""Many records at once: a piece of a log to columns, with NumPy alone.

What is found here is proved byte by byte: a frame counts when its lengths agree and another such
frame follows it, and a record is taken when its fields, in the order in which VisualDL and VizKit
write them, end where it ends. All else is marked as odd, and left to the way record by record.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizkit.columns.interning import NameTable, words_of
from vizkit.format import encode
from vizkit.format.frames import HEAD, claimed_size
from vizkit.format.types import KINDS

__all__ = [
    "GROUPS",
    "MEMBER",
    "ODD",
    "SCALAR",
    "Batch",
    "Bytes",
    "Frames",
    "Ints",
    "Names",
    "close_up",
    "find_frames",
    "parse_records",
    "varints",
    "window",
]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

ODD = 0
"""The kind of a record that is not known at once."""
SCALAR, MEMBER = 4, 14
"""The field numbers of a scalar and of a member of a group, as in `KINDS`."""

_PADDING = 64
_MAX_LENGTH = 1 << 48


def window(size: int) -> Bytes:
    """A buffer for ``size`` bytes, and some behind them that are read in vain."""
    return np.zeros(size + _PADDING, np.uint8)


class Frames(NamedTuple):
    """Frames in the order in which they lie in the log; positions within the window.

    Attributes:
        starts: (n,) of the frame, its length's first byte.
        bodies: (n,) of the record's ``Value``.
        ends: (n,) the byte behind it.
    """

    starts: Ints
    bodies: Ints
    ends: Ints

    def at(self, indexes: Ints) -> Frames:
        """Some of them."""
        return Frames(self.starts[indexes], self.bodies[indexes], self.ends[indexes])


def find_frames(buf: Bytes, size: int, left: int) -> tuple[Frames, Frames]:
    """Whatever looks like a frame, since its two lengths agree, as `claimed_size` has it.

    Args:
        buf: a `window`.
        size: how many bytes of it are the log's; frames that begin in the last `HEAD` may be missed.
        left: bytes from the window's beginning to the end of the log.

    Returns:
        Those that end within the log, which may lie within one another; and those that do not.
    """
    if size < 11:
        nothing = np.empty(0, np.int64)
        return Frames(nothing, nothing, nothing), Frames(nothing, nothing, nothing)
    found = buf[8 : size - 1] == 0x0A
    found &= buf[7 : size - 2] == 0
    starts = np.flatnonzero(found)
    length = words_of(buf).view(np.int64)[starts]
    inner = buf.take(starts + 9).astype(np.int64)
    bodies = starts + 10
    good = (length == inner + 2) & (inner < 0x80) & (inner > 0)
    if not good.all():
        others = np.flatnonzero(~good)
        value, width = varints(words_of(buf)[starts[others] + 9])
        whole = (width < 8) & (value > 0) & (value < _MAX_LENGTH) & (length[others] == value + 1 + width)
        for odd in np.flatnonzero((width >= 8) & (length[others] >= 0) & (length[others] < _MAX_LENGTH)):
            # No writer's, but valid.
            at = int(starts[others[odd]])
            head = buf[at : min(at + HEAD, size)]
            whole[odd] = claimed_size(head.tobytes(), _MAX_LENGTH) is not None
            width[odd] = 1 + (head[9:] < 0x80).argmax()
        bodies[others] = starts[others] + 9 + width
        good[others] = whole & (bodies[others] <= size)
    ends = starts + (8 + length)
    within = good & (ends <= left)
    frames = Frames(starts, bodies, ends)
    if within.all():
        return frames, frames.at(np.empty(0, np.int64))
    return frames.at(np.flatnonzero(within)), frames.at(np.flatnonzero(good & ~within))


GROUPS = 0x7F7F7F7F7F7F7F7F
"""The bits of 8 bytes of a varint that are the number's; the others tell where it ends."""

_LAST = ~np.uint64(GROUPS)
_ONES = np.uint64(0x0101010101010101)
_CLOSER = [
    (np.uint64(0x007F007F007F007F), np.uint64(0x7F007F007F007F00), np.uint64(1)),
    (np.uint64(0x00003FFF00003FFF), np.uint64(0x3FFF00003FFF0000), np.uint64(2)),
    (np.uint64(0x000000000FFFFFFF), np.uint64(0x0FFFFFFF00000000), np.uint64(4)),
]


def close_up(words: NDArray[np.uint64]) -> Ints:
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


def varints(words: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """The varints that 8 bytes each begin with, and how many bytes they take: 8 or more is unknown."""
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


class Names:
    """The tags of a log and the names within its groups, as numbers."""

    def __init__(self) -> None:
        self.tags = NameTable()
        self.members = NameTable()


class Batch(NamedTuple):
    """Records in the order in which they lie in the log.

    Attributes:
        starts, ends: (n,) of the frames, within the window.
        kinds: (n,) uint8, the field number of the content; `ODD` where it is not known.
        tags: (n,) number of the tag.
        steps: (n,) int64.
        fractions: (n,) float64, NaN where the step is whole; None if all are.
        walltimes: (n,) int64.
        values: (n,) float64, of scalars and members of groups.
        members: (n,) number of the name within the group; None if there are no groups.
    """

    starts: Ints
    ends: Ints
    kinds: Bytes
    tags: Ints
    steps: Ints
    fractions: NDArray[np.float64] | None
    walltimes: Ints
    values: NDArray[np.float64]
    members: Ints | None


_MESSAGES = np.zeros(256, np.uint8)
for _number in KINDS:
    if _number != SCALAR:
        _MESSAGES[_number << 3 | 2] = _number

_EXACT = int.from_bytes(encode.EXACT_KEY, "little")
_STEP_KEY = (0xD1, 0x3E)


class _Heads(NamedTuple):
    """What stands before the content of records, where that begins, and whether all this is known."""

    tags: Ints
    steps: Ints
    fractions: NDArray[np.float64] | None
    walltimes: Ints
    at: Ints
    good: Mask


def parse_records(buf: Bytes, size: int, frames: Frames, names: Names) -> Batch:
    """The records of frames.

    Args:
        buf: a `window`.
        size: how many bytes of it are the log's. The last frame may end behind them; where its
            beginning does not tell enough, it is odd.
        frames: one behind the other, or with damage between.
        names: the tags of the log, to which new ones are added.
    """
    heads = _parse_heads(buf, size, frames.bodies, names)
    at, ends, good = heads.at, frames.ends, heads.good
    words = words_of(buf)
    word = words[at]
    scalar = (word & np.uint64(0xFF)) == np.uint64(0x25)
    values = _singles(word)
    if len(ends) and ends[-1] > size and (scalar[-1] or at[-1] + 16 > size):
        good[-1] = False
    left = ends - at
    whole = left == 5
    if not whole.all():
        double = (left == 15) & (((word >> np.uint64(40)) & np.uint64(0xFFFF)) == np.uint64(_EXACT))
        exact = np.flatnonzero(double & scalar)
        values[exact] = words[at[exact] + 7].view(np.float64)
        whole |= double
    kinds = np.where(scalar & whole & good, np.uint8(SCALAR), np.uint8(ODD))
    members = None
    others = np.flatnonzero(~scalar & good)
    if len(others):
        length, width = varints(word[others] >> np.uint64(8))
        body = at[others] + 1 + width
        fits = (width < 8) & (body + length == ends[others])
        kinds[others] = np.where(fits, _MESSAGES[buf.take(at[others])], np.uint8(ODD))
        grouped = kinds[others] == MEMBER
        if grouped.any():
            group = others[grouped]
            members = np.full(len(kinds), -1)
            members[group], values[group], fine = _parse_members(buf, body[grouped], ends[group], size, names)
            kinds[group[~fine]] = ODD
    return Batch(
        frames.starts, ends, kinds, heads.tags, heads.steps, heads.fractions, heads.walltimes, values, members
    )


def _parse_heads(buf: Bytes, size: int, at: Ints, names: Names) -> _Heads:
    words = words_of(buf)
    steps, width, at = _parse_varint(words, at, 0x08, size)
    good = width < 8
    key = buf.take(at)
    fractions = None
    if (key == _STEP_KEY[0]).any():
        marked = (key == _STEP_KEY[0]) & (buf.take(at + 1) == _STEP_KEY[1])
        fractions = np.where(marked, words[at + 2].view(np.float64), np.nan)
        at = np.minimum(at + 10 * marked, size)
        key = buf.take(at)
    good &= key == 0x12
    length = buf.take(at + 1).astype(np.int64)
    at = at + 2
    if length.max(initial=0) >= 0x80:
        long = length >= 0x80
        high = buf.take(at).astype(np.int64)
        good &= ~(long & (high >= 0x80))
        length = np.where(long, length & 0x7F | high << 7, length)
        at += long
    good &= at + length <= size
    length *= good
    tags, known = names.tags.find(buf, at, length)
    good &= known
    walltimes, width, at = _parse_varint(words, at + length, 0x18, size)
    good &= width < 8
    return _Heads(tags, steps, fractions, walltimes, at, good)


def _parse_varint(words: NDArray[np.uint64], at: Ints, key: int, size: int) -> tuple[Ints, Ints, Ints]:
    """The varint of a field that is left out where it is 0, its width, and what comes behind it."""
    word = words[at]
    given = (word & np.uint64(0xFF)) == np.uint64(key)
    value, width = varints(word >> np.uint64(8))
    if not given.all():
        value, width = np.where(given, value, 0), np.where(given, width, -1)
    behind = at + (width + 1)
    return value, width, np.minimum(behind, size, out=behind)


def _singles(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The float32 behind a key of one byte."""
    with np.errstate(invalid="ignore"):  # a NaN that signals, which other bytes may look like
        return (words >> np.uint64(8)).astype(np.uint32).view(np.float32).astype(np.float64)


def _parse_members(buf: Bytes, at: Ints, ends: Ints, size: int, names: Names) -> tuple[Ints, Any, Mask]:
    """Name, value and whether they are known, of records of ``add_scalars``."""
    words = words_of(buf)
    at = np.minimum(at, size)
    length = buf.take(at + 1).astype(np.int64)
    good = (buf.take(at) == 0x0A) & (length < 0x80) & (at + 2 + length <= ends) & (ends <= size)
    length *= good
    members, known = names.members.find(buf, at + 2, length)
    at = at + 2 + length
    # +0.0 is not written.
    word = words[at]
    given = ((word & np.uint64(0xFF)) == np.uint64(0x15)) & (ends - at >= 5)
    values = np.where(given, _singles(word), 0.0)
    at = at + 5 * given
    exact = (ends - at == 10) & (words[at] & np.uint64(0xFFFF) == np.uint64(_EXACT))
    values = np.where(exact, words[at + 2].view(np.float64), values)
    good &= known & ((ends == at) | exact)
    return members, values, good
