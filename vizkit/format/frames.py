"""Frames of a log, and the damage between them.

A frame is a little-endian uint64 length and that many bytes of a record. There is no checksum: the length
agrees with the one at the record's beginning, and `vizkit.format.frame_rule` has what else makes it whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vizkit._files import Buffer
from vizkit.format.frame_rule import HEAD, FrameRule, claimed_size

__all__ = ["Damage", "Frame", "read_frames", "scan"]


class Frame(NamedTuple):
    """The bytes [start, end) of a record, without its length."""

    start: int
    end: int


class Damage(NamedTuple):
    """The bytes [start, end) of a log that are not part of a whole frame."""

    start: int
    end: int


def _claimed_at(data: Buffer, pos: int) -> Frame | None:
    """The frame at ``pos`` whose two lengths agree, or None."""
    size = claimed_size(data[pos : pos + HEAD], len(data) - pos)
    return Frame(pos + 8, pos + size) if size else None


def _next_place(data: Buffer, pos: int) -> int:
    """The next place after ``pos`` where a frame could begin; negative if there is none."""
    return data.find(b"\0\0\x0a", pos + 7) - 6  # the end of its length, and a record's first key


def _claims(data: Buffer, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Possible frames that begin from the place ``at`` on, before ``end``."""
    while 0 <= at < end:
        if claim := _claimed_at(data, at):
            yield at, claim.end
        at = _next_place(data, at)


def scan(data: Buffer) -> Iterator[Frame | Damage]:
    """Find the whole frames of a log and the damage between them, in order and in linear time."""
    rule = FrameRule(lambda start, end: data[start:end], len(data))
    pos, broken = 0, -1
    claim = _claimed_at(data, 0)
    while pos < len(data):
        place = _next_place(data, pos)
        if claim:
            after = _claimed_at(data, claim.end)
            simple = after and place == claim.end
            if simple or rule.is_frame(pos, claim.end, _claims(data, place, claim.end)):
                if broken >= 0:
                    yield Damage(broken, pos)
                    broken = -1
                yield claim
                pos, claim = claim.end, after
                continue
        if broken < 0:
            broken = pos
        if place < 0:
            break
        pos = place
        claim = _claimed_at(data, pos)
    if broken >= 0:
        yield Damage(broken, len(data))


def read_frames(data: Buffer) -> Iterator[bytes]:
    """The records of all whole frames, as bytes."""
    for part in scan(data):
        if isinstance(part, Frame):
            yield data[part.start : part.end]
