"""Scalars that come in the same order again and again, as a training loop writes them.

The lengths of one round tell where everything lies in the next ones, so that a tag's column is a
slice with a stride: nothing is searched, gathered or sorted. Each byte that is not a number is
compared with the first round's. A round that one log taught is looked for in the others too: those
of one training script repeat the same ones.
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

_LONGEST = 256  # records a round; of longer ones a window holds too few
_ROW = 1024  # bytes: NumPy compares short rows at the price of this
_VARIETIES = 4  # rounds of one log that differ in lengths alone, as where steps take a byte more
_MOST = 256  # rounds that are known
_AHEAD = 16  # records that may stand before a known round


@dataclass(frozen=True, eq=False)
class Repeats:
    """One round of scalars.

    Attributes:
        tags: tag -> which of the round's records have it.
        starts: where in the round each record's frame begins.
        size: bytes of a round.
        head: the first 8 of them.
    """

    tags: dict[str, list[int]]
    starts: list[int]
    size: int
    head: bytes
    _bytes: Bytes  # of as many rounds as are compared at once
    _fixed: Bytes  # the bits that are the same in every round
    _places: list[_Places]

    def count(self, buf: Bytes, size: int) -> tuple[int, bool]:
        """How many rounds a buffer begins with, and whether something else comes then."""
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
        """Steps, walltimes and values of the rounds that a buffer begins with.

        Each is (k, rounds), or (1, rounds) where it is the same for all records of a round.
        """
        steps = self._varints(buf, rounds, [(place.step, place.step_width) for place in self._places])
        walltimes = self._varints(buf, rounds, [(p.walltime, p.walltime_width) for p in self._places])
        values = np.empty((len(self._places), rounds))
        every = len(buf) - 7
        singles, doubles = (np.ndarray((every,), kind, buf.data, strides=(1,)) for kind in ("<f4", "<f8"))
        with np.errstate(invalid="ignore"):  # a NaN that signals
            for index, place in enumerate(self._places):
                values[index] = self._column(doubles if place.exact else singles, place.value, rounds)
        return steps, walltimes, values

    def _column(self, view: AnyArray, at: int, rounds: int) -> AnyArray:
        """What lies at a place of each round; ``view`` has a number at every byte."""
        return view[at : at + rounds * self.size : self.size]

    def _varints(self, buf: Bytes, rounds: int, places: list[tuple[int, int]]) -> Ints:
        view = words_of(buf)
        words = np.empty((len(places), rounds), np.uint64)
        for index, (at, _) in enumerate(places):
            words[index] = self._column(view, at, rounds)
        words &= np.array([[GROUPS & (1 << 8 * width) - 1] for _, width in places], np.uint64)
        # The records of a step have one step, and often one walltime.
        if len(words) > 1 and (words[1:] == words[0]).all():
            return close_up(words[:1].copy())
        return close_up(words)


@dataclass(frozen=True)
class _Places:
    """Where a record's numbers lie in a round, and how wide its varints are: 0 if it has none."""

    step: int
    step_width: int
    walltime: int
    walltime_width: int
    value: int
    exact: bool


_known: dict[bytes, list[Repeats]] = {}  # by their heads, the longest first


def known_round(buf: Bytes, size: int) -> Repeats | None:
    """The longest known round that a buffer begins with, if a known one follows it.

    Args:
        buf: a window, or the rest of one.
        size: how many bytes of it are the log's.
    """
    for repeats in _fitting(buf, size):
        if any(True for _ in _fitting(buf[repeats.size :], size - repeats.size)):
            return repeats
    return None


def _fitting(buf: Bytes, size: int) -> Iterator[Repeats]:
    for repeats in _known.get(buf[:8].tobytes(), ()):
        if repeats.size <= size and repeats.count(buf, repeats.size)[0]:
            yield repeats


def before_round(buf: Bytes, size: int) -> int | None:
    """Where a known round's first record ends that comes soon, behind other records; None if none does."""
    at = 0
    for _ in range(_AHEAD):
        at += 8 + int.from_bytes(buf[at : at + 8].tobytes(), "little")
        if at + 8 > size:
            break
        if known_round(buf[at:], size - at):
            return at + 8 + int.from_bytes(buf[at : at + 8].tobytes(), "little")
    return None


def learn(buf: Bytes, base: int, batch: RecordBatch, names: list[str]) -> Repeats | None:
    """The round that the last records of a window repeat, if they do and are scalars.

    Rounds from where its tags begin to repeat are known from then on: those that differ in lengths too, as
    where steps take a byte more.
    """
    count = _round(batch)
    if not count:
        return None
    starts, ends = batch.starts - base, batch.ends - base
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
    """The round that is ``data``, known from now on; None if it holds what no round does."""
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
    # A list of its own: another thread may be reading the old one.
    alike = [*_known.get(repeats.head, ()), repeats]
    _known[repeats.head] = sorted(alike, key=lambda each: each.size, reverse=True)
    return repeats


def _round(batch: RecordBatch) -> int:
    """After how many records tags and lengths repeat, thrice in a row; 0 if they do not."""
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
    """The places of the record in the frame at ``at``, whose numbers' bits are cleared in ``fixed``."""

    wide = 0

    def number(key: int) -> tuple[int, int]:
        """Place and width of a varint, which is as wide in every round."""
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
