"""Whole frames of a log and the damage between them, window by window.

The result is that of `vizkit.format.frames.scan`, found for many frames at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from vizkit.columns.varints import PADDING, Bytes, lengths_at, window, words_of
from vizkit.format.frame_rule import HEAD, FrameRule
from vizkit.format.frames import Damage
from vizkit.metrics.arrays import Ints

__all__ = ["FrameWalk", "Frames", "Piece", "Readable", "find_frames", "read_bytes"]

_LARGE = 1 << 18  # bytes: a frame of this size is not read to find the next one
_MAX_LENGTH = 1 << 48
_BLOCK = 1 << 18  # bytes that are looked through at once
_BEGINNING = 2048  # bytes of a frame that are needed to know its tag


class Readable(Protocol):
    """A log that is open for reading.

    Attributes:
        window: the best number of bytes to read at once.
    """

    window: int

    def read_into(self, view: memoryview, at: int) -> int:
        """Fill ``view`` with the bytes from ``at`` on; return how many there were."""


def read_bytes(log: Readable, start: int, end: int) -> bytes:
    """The bytes [start, end) of a log, fewer if it ends before ``end``."""
    data = bytearray(end - start)
    return bytes(data[: log.read_into(memoryview(data), start)])


class Frames(NamedTuple):
    """Positions of frames within the window, in the order of the log.

    Attributes:
        starts: (n,) the first byte of the frame's length.
        bodies: (n,) the first byte of the record's ``Value``.
        ends: (n,) the byte after the frame.
    """

    starts: Ints
    bodies: Ints
    ends: Ints

    def at(self, indexes: Ints | slice) -> Frames:
        """The frames at ``indexes``."""
        return Frames(self.starts[indexes], self.bodies[indexes], self.ends[indexes])


def find_frames(buf: Bytes, size: int, left: int) -> tuple[Frames, Frames]:
    """Find what looks like a frame because its two lengths agree, as in `claimed_size`.

    Args:
        buf: a `window`.
        size: number of bytes in it that belong to the log; frames that begin in the last `HEAD` of them may
            be missed.
        left: bytes from the window's beginning to the end of the log.

    Returns:
        Those that end within the log, which may overlap, and those that end beyond it.
    """
    if size < 11:
        nothing = np.empty(0, np.int64)
        return Frames(nothing, nothing, nothing), Frames(nothing, nothing, nothing)
    starts = _candidates(buf, size)
    ends = starts + 8 + words_of(buf).view(np.int64)[starts]
    inner, bodies = lengths_at(buf, starts + 9)
    good = (bodies + inner == ends) & (inner > 0) & (inner < _MAX_LENGTH) & (bodies <= size)
    within = good & (ends <= left)
    frames = Frames(starts, bodies, ends)
    if within.all():
        return frames, frames.at(np.empty(0, np.int64))
    return frames.at(np.flatnonzero(within)), frames.at(np.flatnonzero(good & ~within))


def _candidates(buf: Bytes, size: int) -> Ints:
    """The positions of what has a length below 2**56 and a first field as frames have them.

    Block by block in the same memory: that of large arrays is new, and so slow, each time.
    """
    found = []
    key, zero = np.empty((2, min(_BLOCK, size - 9)), bool)
    for at in range(0, size - 9, _BLOCK):
        count = min(_BLOCK, size - 9 - at)
        np.equal(buf[at + 8 : at + 8 + count], 0x0A, out=key[:count])
        np.equal(buf[at + 7 : at + 7 + count], 0, out=zero[:count])
        key &= zero
        found.append(key[:count].nonzero()[0] + at)
    return found[0] if len(found) == 1 else np.concatenate(found)


class Piece(NamedTuple):
    """Whole frames within a window; the last one may reach beyond it.

    Attributes:
        base: the window's position in the log.
        buf: the window; the next piece overwrites it.
        size: number of bytes in it that belong to the log.
        frames: positions within the window.
    """

    base: int
    buf: Bytes
    size: int
    frames: Frames


class _Window:
    """Part of a log in memory: the rule holds it and not the walk, so that nothing holds itself.

    Attributes:
        buf: bytes of the log.
        base: their position in it.
        held: how many of them are there.
    """

    def __init__(self, log: Readable) -> None:
        self.buf, self.base, self.held = window(0), 0, 0
        self._log = log

    def read(self, start: int, end: int) -> bytes:
        """The bytes [start, end) of the log, from the window if they are there."""
        first, last = start - self.base, end - self.base
        if first >= 0 and last <= self.held:
            return self.buf[first:last].tobytes()
        return read_bytes(self._log, start, end)


class FrameWalk:
    """A pass over the bytes [start, size) of a log; iterate over it once.

    Args:
        log: the log.
        start: the position of a frame.
        size: the log's size in bytes.
        take: called with every window that begins with a frame, its size and its base. It returns how many
            bytes of whole frames it has consumed, which are then skipped here. If it has consumed none, it
            also returns how many bytes to scan here before it is called with the rest.

    Attributes:
        size: the log's actual size, which is smaller if the log was truncated meanwhile.
        pending: (start, end) of what looks like a frame but ends beyond the log: more bytes may complete it.
    """

    def __init__(
        self,
        log: Readable,
        start: int,
        size: int,
        take: Callable[[Bytes, int, int], tuple[int, int]] = lambda buf, size, base: (0, size),
    ) -> None:
        self._log = log
        self._take = take
        self._start = start
        self._broken = -1  # start of damage that has not ended yet
        self._window = _Window(log)
        self._rule = FrameRule(self._window.read, size)
        self.size = size
        self.pending: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[Piece | Damage]:
        pos = self._start
        room = window(min(self._log.window, self.size - pos))
        at = held = 0  # the place of the bytes from there on within the room, and their number
        while pos < self.size:
            asked = min(self._log.window, self.size - pos)
            # To move what is held costs more than a short piece.
            if held < asked and (held <= asked // 2 or asked < self._log.window):
                room[:held] = room[at : at + held]
                at, held = 0, held + self._log.read_into(memoryview(room.data)[held:asked], pos + held)
                if held < asked:
                    self.size = self._rule.size = pos + held
            buf = room[at:]
            self._window.buf, self._window.base, self._window.held = buf, pos, held
            done, some = self._take(buf, held, pos) if self._broken < 0 else (0, held)
            if not done:
                claims = self._claims(buf, some, pos)
                indexes, damage, done = self._examine(buf, pos, some, claims)
                yield from damage
                if len(indexes):
                    yield Piece(pos, buf, some, claims.at(indexes))
            pos += done
            at += done
            held = max(held - done, 0)
        if self._broken >= 0:
            yield Damage(self._broken, self.size)

    def _examine(self, buf: Bytes, pos: int, got: int, claims: Frames) -> tuple[Ints, list[Damage], int]:
        """Indexes of the claims that are whole, the damage, and the position up to which both are certain."""
        final = pos + got == self.size
        end_of_window = got if final else got - HEAD  # later frames are found in the next window
        breaks = np.flatnonzero(claims.ends[:-1] != claims.starts[1:])
        found: list[Ints] = [np.empty(0, np.int64)]
        damage: list[Damage] = []

        def whole(indexes: Ints) -> None:
            found.append(indexes)
            if self._broken >= 0:
                damage.append(Damage(self._broken, pos + int(claims.starts[indexes[0]])))
                self._broken = -1

        at = 0
        while at < end_of_window:
            row, last = _row(claims, breaks, at)
            if len(row):
                whole(row)
            if last >= 0:
                start, end = int(claims.starts[last]), int(claims.ends[last])
                beyond = not final and end >= end_of_window
                if beyond and start and (end - start < _LARGE or start + _BEGINNING > got):
                    at = start  # the next window begins here and holds more of the frame
                    break
                within = self._claims_within(claims.at(slice(last + 1, None)), pos, end_of_window, pos + end)
                if self._rule.is_frame(pos + start, pos + end, within):
                    whole(np.array([last]))
                    at = end
                    continue
                at = start
            if self._broken < 0:
                self._broken = pos + at
            after = int(np.searchsorted(claims.starts, at, "right"))
            at = int(claims.starts[after]) if after < len(claims.starts) else end_of_window
            at = min(at, end_of_window)
        return np.concatenate(found), damage, at

    def _claims_within(
        self, claims: Frames, pos: int, end_of_window: int, stop: int
    ) -> Iterator[tuple[int, int]]:
        """Positions in the log of what looks like a frame and begins before ``stop``.

        Args:
            claims: those of the window.
            pos: the window's position in the log.
            end_of_window: bytes of it in which all of them are known.
            stop: a position in the log.
        """
        known = end_of_window
        while True:
            upto = min(int(np.searchsorted(claims.starts, min(known, stop - pos))), len(claims.starts))
            for index in range(upto):
                yield pos + int(claims.starts[index]), pos + int(claims.ends[index])
            pos += known
            if pos >= stop:
                return
            buf = window(min(self._log.window, self.size - pos))
            size = self._log.read_into(memoryview(buf.data)[: len(buf) - PADDING], pos)
            known = size if pos + size >= self.size else size - HEAD
            if known <= 0:
                return
            claims = self._claims(buf, size, pos)

    def _claims(self, buf: Bytes, size: int, pos: int) -> Frames:
        """Possible frames in a window at the position ``pos``."""
        claims, beyond = find_frames(buf, size, self.size - pos)
        starts, ends = (pos + beyond.starts).tolist(), (pos + beyond.ends).tolist()
        self.pending += zip(starts, ends, strict=True)
        return claims


def _row(claims: Frames, breaks: Ints, at: int) -> tuple[Ints, int]:
    """The frames from ``at`` on that lie end to end; and the last one, or -1."""
    first = int(np.searchsorted(claims.starts, at))
    if first == len(claims.starts) or claims.starts[first] != at:
        return np.empty(0, np.int64), -1
    nth = int(np.searchsorted(breaks, first))
    last = int(breaks[nth]) if nth < len(breaks) else len(claims.starts) - 1
    return np.arange(first, last), last
