"""Rounds of scalars: the same tags in the same order again and again, as a training loop writes them.

All rounds have the layout of the first one, so that a tag's column is a slice with a stride: nothing is
searched, gathered or sorted. Each byte that is not part of a number is compared with the first round's.
Rounds are remembered across logs, since the runs of one training script repeat the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vizkit.columns.record_batch import SCALAR, RecordBatch
from vizkit.columns.varints import GROUPS, Bytes, close_up, words_of
from vizkit.format import wire
from vizkit.format.encode import EXACT_KEY
from vizkit.metrics.arrays import AnyArray, Floats, Ints

__all__ = ["Repeats", "before_round", "known_round", "learn"]

_LONGEST = 256  # records in a round; a window holds too few of longer rounds
_ROW = 1024  # bytes: comparing a shorter row costs NumPy as much
_VARIETIES = 4  # rounds of one log that differ only in lengths, as when steps need one more byte
_MOST = 256  # remembered rounds
_MOST_ALIKE = 16  # of one head: each is tried where a log's rounds change
_AHEAD = 16  # records that may come before a known round


@dataclass(frozen=True, eq=False)
class Repeats:
    """One round of scalars.

    Attributes:
        tags: tag -> indexes of its records within the round.
        starts: positions of the records' frames within the round.
        size: bytes in a round.
        head: the first 8 of them.
    """

    tags: dict[str, list[int]]
    starts: list[int]
    size: int
    head: bytes
    _bytes: Bytes  # as many rounds as are compared at once
    _fixed: Bytes  # mask of the bits that are the same in every round
    _places: list[_Places]

    def begins(self, buf: Bytes) -> bool:
        """True if a buffer of at least `size` bytes begins with a round."""
        other = buf[: self.size] ^ self._bytes[: self.size]
        other &= self._fixed[: self.size]
        return not other.any()

    def count(self, buf: Bytes, size: int) -> tuple[int, bool]:
        """The number of rounds that a buffer begins with, and True if something else follows."""
        rounds = size // self.size
        others = self._column(words_of(buf), 0, rounds) != int.from_bytes(self.head, "little")
        upto = int(others.argmax()) if others.any() else rounds
        wide = max(min(len(self._bytes) // self.size, upto), 1)
        length = wide * self.size
        rows = -(-upto // wide)
        if rows * length > size:
            rows -= 1
        if not rows:
            return 0, upto < rounds
        other = buf[: rows * length].reshape(rows, length) ^ self._bytes[:length]
        other &= self._fixed[:length]
        if other.max():
            upto = min(int((other.reshape(-1) != 0).argmax()) // self.size, upto)
            return upto, True
        proved = min(rows * wide, upto)
        return proved, proved == upto < rounds

    def read(self, buf: Bytes, rounds: int) -> tuple[Ints, Ints, Floats]:
        """Read the steps, walltimes and values of the rounds that a buffer begins with.

        Each is (k, rounds), or (1, rounds) if it is the same for all records of a round.
        """
        steps = self._varints(buf, rounds, [(place.step, place.step_width) for place in self._places])
        walltimes = self._varints(buf, rounds, [(p.walltime, p.walltime_width) for p in self._places])
        values = np.empty((len(self._places), rounds))
        every = len(buf) - 7
        singles, doubles = (np.ndarray((every,), kind, buf.data, strides=(1,)) for kind in ("<f4", "<f8"))
        with np.errstate(invalid="ignore"):  # a signalling NaN
            for index, place in enumerate(self._places):
                values[index] = self._column(doubles if place.exact else singles, place.value, rounds)
        return steps, walltimes, values

    def _column(self, view: AnyArray, at: int, rounds: int) -> AnyArray:
        """The numbers at one place of each round; ``view`` has a number at every byte."""
        return view[at : at + rounds * self.size : self.size]

    def _varints(self, buf: Bytes, rounds: int, places: list[tuple[int, int]]) -> Ints:
        view = words_of(buf)
        words = np.empty((len(places), rounds), np.uint64)
        for index, (at, _) in enumerate(places):
            words[index] = self._column(view, at, rounds)
        words &= np.array([[GROUPS & (1 << 8 * width) - 1] for _, width in places], np.uint64)
        # The records of a round share their step, and often their walltime.
        if len(words) > 1 and (words[1:] == words[0]).all():
            return close_up(words[:1].copy())
        return close_up(words)


@dataclass(frozen=True)
class _Places:
    """Positions of a record's numbers within a round, and widths of its varints: 0 if left out."""

    step: int
    step_width: int
    walltime: int
    walltime_width: int
    value: int
    exact: bool


_known: dict[bytes, list[Repeats]] = {}  # by their heads, the latest first


def known_round(buf: Bytes, size: int) -> Repeats | None:
    """The longest known round that a buffer begins with and that another known one follows.

    Args:
        buf: a window, or the rest of one.
        size: number of bytes in it that belong to the log.
    """
    for repeats in _fitting(buf, size):
        if any(True for _ in _fitting(buf[repeats.size :], size - repeats.size)):
            return repeats
    return None


def _fitting(buf: Bytes, size: int) -> Iterator[Repeats]:
    alike = _known.get(buf[:8].tobytes(), ())
    for repeats in sorted(alike, key=lambda each: each.size, reverse=True):
        if repeats.size <= size and repeats.begins(buf):
            yield repeats


def before_round(buf: Bytes, size: int) -> int | None:
    """The end of the first record of a known round that comes after a few other records, or None."""
    at = 0
    for _ in range(_AHEAD):
        at += 8 + int.from_bytes(buf[at : at + 8].tobytes(), "little")
        if at + 8 > size:
            break
        if known_round(buf[at:], size - at):
            return at + 8 + int.from_bytes(buf[at : at + 8].tobytes(), "little")
    return None


def learn(buf: Bytes, batch: RecordBatch, names: list[str]) -> Repeats | None:
    """Find the round of scalars that the last records of a window repeat, or None.

    It is remembered, and so are the window's other rounds of the same tags that differ only in lengths, as
    when steps need one more byte.
    """
    count = _round(batch)
    if not count:
        return None
    starts, ends = batch.starts, batch.ends
    good = batch.kinds == SCALAR
    good[:-count] &= batch.tags[:-count] == batch.tags[count:]
    good[:-1] &= starts[1:] == ends[:-1]
    bad = np.flatnonzero(~good[:-1])
    begin = int(bad[-1]) + 1 if len(bad) else 0
    rounds = (len(starts) - begin) // count
    if not rounds:
        return None
    lengths = (ends - starts)[begin : begin + rounds * count].reshape(rounds, count)
    changes = np.flatnonzero((lengths[1:] != lengths[:-1]).any(axis=1)).tolist()
    firsts = [begin + row * count for row in (*changes[:_VARIETIES], rounds - 1)]
    repeats = None
    for first in (*firsts, len(starts) - count):
        some, end = slice(first, first + count), ends[first + count - 1]
        repeats = next(_fitting(buf[starts[first] :], end - starts[first]), None)
        if repeats is not None and repeats.size == end - starts[first]:
            continue
        tags: dict[str, list[int]] = {}
        for index, number in enumerate(batch.tags[some].tolist()):
            tags.setdefault(names[number], []).append(index)
        repeats = _remember(buf[starts[first] : end].tobytes(), starts[some], tags)
    return repeats


def _remember(data: bytes, starts: Ints, tags: dict[str, list[int]]) -> Repeats | None:
    """Remember ``data`` as a round; None if it holds anything but plain scalars."""
    fixed = bytearray(b"\xff" * len(data))
    places = []
    begins = (starts - starts[0]).tolist()
    for at in begins:
        place = _read_places(data, at, fixed)
        if place is None:
            return None
        places.append(place)
    wide = max(_ROW // len(data), 1)
    one, mask = (np.tile(np.frombuffer(bytes(part), np.uint8), wide) for part in (data, fixed))
    repeats = Repeats(tags, begins, len(data), data[:8], one, mask, places)
    if sum(map(len, _known.values())) >= _MOST:
        _known.clear()
    # A new list: another thread may be reading the old one. The latest come first.
    _known[repeats.head] = [repeats, *_known.get(repeats.head, ())][:_MOST_ALIKE]
    return repeats


def _round(batch: RecordBatch) -> int:
    """The number of records after which tags and lengths repeat, three times in a row; 0 if they do not."""
    tags = batch.tags[-3 * _LONGEST :]
    lengths = (batch.ends - batch.starts)[-3 * _LONGEST :]
    again = np.flatnonzero(tags[:-1] == tags[-1:])[::-1]
    for before in again[:8].tolist():
        count = len(tags) - 1 - before
        last, earlier = slice(-2 * count, None), slice(-3 * count, -count)
        if (
            3 * count <= len(tags)
            and np.array_equal(tags[last], tags[earlier])
            and np.array_equal(lengths[last], lengths[earlier])
            and (batch.kinds[-count:] == SCALAR).all()
        ):
            return int(count)
    return 0


def _read_places(data: bytes, at: int, fixed: bytearray) -> _Places | None:
    """Find the numbers of the record in the frame at ``at``, and clear their bits in ``fixed``."""
    wide = 0

    def number(key: int) -> tuple[int, int]:
        """Position and width of a varint, which has the same width in every round."""
        nonlocal at, wide
        if data[at] != key:
            return at, 0
        place = at + 1
        at = wire.read_varint(data, place)[1]
        wide = max(wide, at - place)
        fixed[place:at] = b"\x80" * (at - place)
        return place, at - place

    end = at + 8 + int.from_bytes(data[at : at + 8], "little")
    at = wire.read_varint(data, at + 9)[1]
    step = number(0x08)
    if data[at] != 0x12:
        return None
    length, at = wire.read_varint(data, at + 1)
    at += length
    walltime = number(0x18)
    if data[at : at + 1] != b"\x25" or wide > 8:
        return None
    fixed[at + 1 : at + 5] = bytes(4)
    if end == at + 5:
        return _Places(*step, *walltime, at + 1, False)
    if end != at + 15 or data[at + 5 : at + 7] != EXACT_KEY:
        return None
    fixed[at + 7 : at + 15] = bytes(8)
    return _Places(*step, *walltime, at + 7, True)
