"""Frames of a log, and the damage between them.

A frame is a little-endian uint64 length and that many bytes of a record. There is no checksum. A frame is
whole if its length agrees with the length at the record's beginning, and if either another such frame
follows or its record can be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vizkit._files import Buffer
from vizkit.format import wire

__all__ = [
    "HEAD",
    "Damage",
    "Frame",
    "claimed_size",
    "is_record",
    "read_frames",
    "scan",
]

HEAD = 19
"""Number of bytes, at most, that tell a frame's size: its length, a key and a varint."""


class Frame(NamedTuple):
    """The bytes [start, end) of a record, without its length."""

    start: int
    end: int


class Damage(NamedTuple):
    """The bytes [start, end) of a log that are not part of a whole frame."""

    start: int
    end: int


def claimed_size(head: bytes, left: int) -> int | None:
    """The size in bytes of the frame that begins with ``head``, or None if its two lengths disagree.

    Args:
        head: its first `HEAD` bytes, or fewer at the end of the log.
        left: bytes from the frame's beginning to the end of the log.
    """
    # A length's highest bytes are 0 in any log that fits on a disk.
    if len(head) < 10 or head[8] != 0x0A or head[6:8] != b"\0\0":
        return None
    size = 8 + int.from_bytes(head[:8], "little")
    try:
        inner, start = wire.read_varint(head, 9)
    except ValueError:
        return None
    return size if inner and start + inner == size <= left else None


def is_record(data: bytes) -> bool:
    """True if the content of a frame can be parsed."""
    try:
        for _, _, record in wire.fields(data):
            for _ in wire.fields(record):
                pass
    except ValueError:
        return False
    return True


def _claimed_at(data: Buffer, pos: int) -> Frame | None:
    """The frame at ``pos`` whose two lengths agree, or None."""
    size = claimed_size(data[pos : pos + HEAD], len(data) - pos)
    return Frame(pos + 8, pos + size) if size else None


def _frame_at(data: Buffer, pos: int) -> Frame | None:
    """The whole frame at ``pos``, or None."""
    frame = _claimed_at(data, pos)
    if frame is None or _claimed_at(data, frame.end):
        return frame
    # No frame follows, so its length may be wrong: a torn frame may have swallowed the beginning of others.
    return frame if is_record(data[frame.start : frame.end]) else None


def scan(data: Buffer) -> Iterator[Frame | Damage]:
    """Find the whole frames of a log and the damage between them, in order and in linear time."""
    pos = 0
    while pos < len(data):
        frame = _frame_at(data, pos)
        if frame:
            yield frame
            pos = frame.end
            continue
        start = pos
        while frame is None:
            # The next place where a frame could begin: 8 bytes before a record's first key.
            at = data.find(b"\x0a", pos + 9)
            if at < 0:
                yield Damage(start, len(data))
                return
            pos = at - 8
            frame = _frame_at(data, pos)
        yield Damage(start, pos)


def read_frames(data: Buffer) -> Iterator[bytes]:
    """The records of all whole frames, as bytes."""
    for part in scan(data):
        if isinstance(part, Frame):
            yield data[part.start : part.end]
