"""The rule that tells a whole frame from bytes that only look like one.

A frame torn by a crash claims bytes that others have appended behind it, and a log has no checksums. What
looks like a frame is one if

- another frame follows, or its record can be parsed and no zeros continue it, and
- no frame begins within it, unless it holds a PNG file whose checksums are right.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from itertools import islice

from vizkit._files import Buffer
from vizkit.format import wire
from vizkit.format.types import WIRE_TYPES

__all__ = ["HEAD", "FrameRule", "Read", "claimed_size"]

HEAD = 16
"""Number of bytes, at most, that tell a frame's size: its length, a key and a varint of up to 7 bytes."""

Read = Callable[[int, int], Buffer]
"""Reads the bytes [start, end) of a log, fewer at its end."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_ENDINGS = (_PNG_END, b"\x2a\x09audio/wav")
_LARGE = 1 << 18  # bytes: such a frame is not looked into if it ends as its content does
_MOST_FIELDS = 64  # no writer comes near it
_PIECE = 1 << 20
_IMAGE, _PIXELS = 5, 4  # field numbers


def claimed_size(head: Buffer, left: int) -> int | None:
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
        inner, start = wire.read_varint(head[:HEAD], 9)
    except ValueError:
        return None
    return size if inner and start + inner == size <= left else None


class FrameRule:
    """The rule for the frames of one log. It is asked about them in the order of the log.

    Its cost is linear in the log's size, whatever the log holds.

    Args:
        read: reads the log.
        size: the log's size in bytes.
    """

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self._checked = 0  # up to here, checksums did not match

    def is_frame(self, start: int, end: int, within: Iterable[tuple[int, int]]) -> bool:
        """True if the bytes [start, end), whose two lengths agree, are a whole frame.

        Args:
            start: its first byte.
            end: the byte after it.
            within: others whose lengths agree and that begin after ``start`` and before ``end``, in order.
        """
        if not self._is_likely(start, end):
            return False
        if end - start >= _LARGE and self._follows(end):
            ending = bytes(self._read(end - len(_PNG_END), end))
            if ending.endswith(_ENDINGS):
                return True
        if not any(self._is_likely(*other) for other in within):
            return True
        return start >= self._checked and self._is_image(start, end)

    def _is_likely(self, start: int, end: int) -> bool:
        return self._follows(end) or (self._is_record(start, end) and not self._fades(end))

    def _follows(self, end: int) -> bool:
        return claimed_size(self._read(end, min(end + HEAD, self.size)), self.size - end) is not None

    def _is_record(self, start: int, end: int) -> bool:
        body = wire.read_varint(self._read(start + 9, min(start + HEAD, end)), 0)[1]
        try:
            fields = wire.spans(self._read, start + 9 + body, end)
            for count, (number, wire_type, _, _) in enumerate(fields):
                if count == _MOST_FIELDS or WIRE_TYPES.get(number, wire_type) != wire_type:
                    return False
        except ValueError:
            return False
        return True

    def _fades(self, end: int) -> bool:
        """True if zeros end a record and go on behind it: they may be what a crash left of the file."""
        return self._read(end - 1, min(end + 1, self.size)) == b"\0\0"

    def _is_image(self, start: int, end: int) -> bool:
        """True if a record ends with a PNG file whose checksums are right."""
        at = start + 9 + wire.read_varint(self._read(start + 9, min(start + HEAD, end)), 0)[1]
        try:
            for wanted in (_IMAGE, _PIXELS):
                fields = islice(wire.spans(self._read, at, end), _MOST_FIELDS)
                at = next(first for number, _, first, last in fields if number == wanted and last == end)
        except (StopIteration, ValueError):
            return False
        if self._read(at, at + 8) != _PNG or self._read(end - 12, end) != _PNG_END:
            return False
        self._checked = end
        at += 8
        while at < end:
            size = int.from_bytes(self._read(at, at + 4), "big")
            if at + 12 + size > end:
                return False
            check = 0
            for piece in range(at + 4, at + 8 + size, _PIECE):
                check = zlib.crc32(self._read(piece, min(piece + _PIECE, at + 8 + size)), check)
            if check != int.from_bytes(self._read(at + 8 + size, at + 12 + size), "big"):
                return False
            at += 12 + size
        return True
