"""Parsing of many records at once, with NumPy alone.

A record is parsed here if its fields, in the order in which VisualDL and VizKit write them, end exactly
where the record ends. Any other record is marked as `ODD` and left to `vizkit.format.decode`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vizkit.columns.frame_scan import Frames
from vizkit.columns.name_table import NameTable
from vizkit.columns.varints import Bytes, Words, lengths_at, varints, wide_varints, words_of
from vizkit.format import encode, wire
from vizkit.format.types import KINDS
from vizkit.metrics.arrays import Bools, Floats, Ints

__all__ = ["MEMBER", "ODD", "SCALAR", "LogNames", "RecordBatch", "parse_records"]

ODD = 0
"""The kind of a record that is not parsed here."""
SCALAR, MEMBER = 4, 14
"""Field numbers of a scalar and of a member of a group, as in `KINDS`."""


class LogNames:
    """The tags of a log and the names within its groups, as numbers."""

    def __init__(self) -> None:
        self.tags = NameTable()
        self.members = NameTable()


class RecordBatch(NamedTuple):
    """Records in the order of the log.

    Attributes:
        starts: (n,) positions of the frames within the window.
        ends: (n,) positions after them.
        kinds: (n,) uint8, the field number of the content, or `ODD`.
        tags: (n,) number of the tag.
        steps: (n,) int64.
        fractions: (n,) float64, NaN where the step is whole; None if all steps are.
        walltimes: (n,) int64.
        values: (n,) float64, of scalars and members of groups.
        members: (n,) number of the name within the group; None if there are no groups.
    """

    starts: Ints
    ends: Ints
    kinds: Bytes
    tags: Ints
    steps: Ints
    fractions: Floats | None
    walltimes: Ints
    values: Floats
    members: Ints | None


_MESSAGES = np.zeros(256, np.uint8)
for _number in KINDS:
    if _number != SCALAR:
        _MESSAGES[_number << 3 | 2] = _number

_EXACT = int.from_bytes(encode.EXACT_KEY, "little")
_STEP_KEY = (0xD1, 0x3E)
_MARK = int.from_bytes(wire.key(encode.SESSION, wire.VARINT), "little")
_NAME = 10
_WIDE = np.uint64(0x8080808080808000)  # a byte, and seven of a varint that goes on
_FEW, _SHORT = 4, 4096  # records, and bytes of them, that are decoded sooner one by one


class _Heads(NamedTuple):
    """The fields before the contents of records.

    Attributes:
        at: (n,) positions of the contents.
        good: (n,) True where the fields were parsed.
    """

    tags: Ints
    steps: Ints
    fractions: Floats | None
    walltimes: Ints
    at: Ints
    good: Bools


def parse_records(buf: Bytes, size: int, frames: Frames, names: LogNames) -> tuple[RecordBatch, Ints]:
    """Parse the records of frames.

    Args:
        buf: a `window`.
        size: number of bytes in it that belong to the log. The last frame may end beyond them; it is
            `ODD` if its beginning does not hold enough.
        frames: in the order of the log, possibly with damage between them.
        names: the tags of the log; new ones are added.

    Returns:
        The records, and (n,) the positions of the contents of those that are not `ODD`.
    """
    if len(frames.starts) <= _FEW and frames.ends[-1] <= min(size, frames.starts[0] + _SHORT):
        return _left_to_decode(frames)
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
        length, body = lengths_at(buf, at[others] + 1)
        number = _MESSAGES[buf.take(at[others])]
        rest = ends[others] - (body + length)
        fits = rest == 0
        marked = (rest == 3) & (number == _NAME) & (ends[others] <= size)
        if marked.any():
            fits |= marked & (
                words[ends[others] * marked - 3 * marked] & np.uint64(0xFFFF) == np.uint64(_MARK)
            )
        kinds[others] = np.where(fits & (length >= 0), number, np.uint8(ODD))
        grouped = kinds[others] == MEMBER
        if grouped.any():
            group = others[grouped]
            members = np.full(len(kinds), -1)
            members[group], values[group], fine = _parse_members(buf, body[grouped], ends[group], size, names)
            kinds[group[~fine]] = ODD
    return RecordBatch(
        frames.starts, ends, kinds, heads.tags, heads.steps, heads.fractions, heads.walltimes, values, members
    ), at


def _left_to_decode(frames: Frames) -> tuple[RecordBatch, Ints]:
    """Records of which none is parsed."""
    steps, walltimes, tags, none = np.zeros((4, len(frames.starts)), np.int64)
    kinds, values = none.astype(np.uint8), none.astype(np.float64)
    starts, ends = frames.starts, frames.ends
    return RecordBatch(starts, ends, kinds, tags, steps, None, walltimes, values, None), none


def _parse_heads(buf: Bytes, size: int, at: Ints, names: LogNames) -> _Heads:
    steps, good, at = _parse_varint(buf, at, 0x08, size)
    key = buf.take(at)
    fractions = None
    if (key == _STEP_KEY[0]).any():
        marked = (key == _STEP_KEY[0]) & (buf.take(at + 1) == _STEP_KEY[1])
        fractions = np.where(marked, words_of(buf)[at + 2].view(np.float64), np.nan)
        at = np.minimum(at + 10 * marked, size)
        key = buf.take(at)
    good &= key == 0x12
    length, at = lengths_at(buf, at + 1)
    good &= (length >= 0) & (at + length <= size)
    length *= good
    tags, known = names.tags.find(buf, at, length)
    good &= known
    walltimes, fine, at = _parse_varint(buf, at + length, 0x18, size)
    good &= fine
    return _Heads(tags, steps, fractions, walltimes, at, good)


def _parse_varint(buf: Bytes, at: Ints, key: int, size: int) -> tuple[Ints, Bools, Ints]:
    """The varints of a field that is left out if 0, where they are whole, and the positions after them."""
    word = words_of(buf)[at]
    given = (word & np.uint64(0xFF)) == np.uint64(key)
    if _are_wide(word[:16]) and given.all() and _are_wide(word):
        value, width = wide_varints(buf, at + 1)
        good = width < 11
    else:
        value, width = varints(word >> np.uint64(8))
        if not given.all():
            value, width = np.where(given, value, 0), np.where(given, width, -1)
        good = width < 8
        if not good.all():
            some = np.flatnonzero(~good)
            value[some], width[some] = wide_varints(buf, at[some] + 1)
            good[some] = width[some] < 11
    behind = at + (width + 1)
    return value, good, np.minimum(behind, size, out=behind)


def _are_wide(words: Words) -> bool:
    """True if all varints are, as times in ns are, and steps below 0; after a key."""
    return bool(((words & _WIDE) == _WIDE).all())


def _singles(words: Words) -> Floats:
    """The float32 after a key of one byte."""
    with np.errstate(invalid="ignore"):  # other bytes may look like a signalling NaN
        return (words >> np.uint64(8)).astype(np.uint32).view(np.float32).astype(np.float64)


def _parse_members(
    buf: Bytes, at: Ints, ends: Ints, size: int, names: LogNames
) -> tuple[Ints, Floats, Bools]:
    """Names and values of members of groups, and True where both were parsed."""
    words = words_of(buf)
    at = np.minimum(at, size)
    good = (buf.take(at) == 0x0A) & (ends <= size)
    length, at = lengths_at(buf, at + 1)
    good &= (length >= 0) & (at + length <= ends)
    length *= good
    members, known = names.members.find(buf, at, length)
    at = at + length
    # +0.0 is left out.
    word = words[at]
    given = ((word & np.uint64(0xFF)) == np.uint64(0x15)) & (ends - at >= 5)
    values = np.where(given, _singles(word), 0.0)
    at = at + 5 * given
    exact = (ends - at == 10) & (words[at] & np.uint64(0xFFFF) == np.uint64(_EXACT))
    values = np.where(exact, words[at + 2].view(np.float64), values)
    good &= known & ((ends == at) | exact)
    return members, values, good
