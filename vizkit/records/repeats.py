"""Scalars that come in the same order again and again, as a training loop writes them.

The lengths of one round tell where everything lies in the next ones, so that a tag's column is a
slice with a stride: nothing is searched, gathered or sorted. Each byte that is not a number is
compared with the first round's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit.records import wire
from vizkit.records.bulk import GROUPS, SCALAR, Batch, Bytes, Ints, close_up
from vizkit.records.encode import EXACT_KEY

__all__ = ["Repeats", "learn"]

_LONGEST = 256  # records a round; of longer ones a window holds too few
_ROW = 1024  # bytes: NumPy compares short rows at the price of this


@dataclass(frozen=True)
class Repeats:
    """One round of scalars.

    Attributes:
        tags: number of a tag -> which of the round's records have it.
        size: bytes of a round.
    """

    tags: dict[int, list[int]]
    size: int
    _bytes: Bytes
    _fixed: Bytes  # the bits that are the same in every round
    _places: list[_Places]

    def count(self, buf: Bytes, size: int) -> tuple[int, bool]:
        """How many rounds a window begins with, and whether something else comes then."""
        rounds = size // self.size
        wide = max(min(_ROW // self.size, rounds), 1)
        rows = rounds // wide
        if not rows:
            return 0, False
        length = wide * self.size
        other = buf[: rows * length].reshape(rows, length) ^ np.tile(self._bytes, wide)
        other &= np.tile(self._fixed, wide)
        if not other.max():
            return rows * wide, False
        first = np.flatnonzero(other.reshape(-1))[0]
        return int(first) // self.size, True

    def read(self, buf: Bytes, rounds: int) -> tuple[Ints, Ints, NDArray[np.float64]]:
        """Steps, walltimes and values of the rounds that a window begins with, each (k, rounds)."""
        steps = self._varints(buf, rounds, [(place.step, place.step_width) for place in self._places])
        walltimes = self._varints(buf, rounds, [(p.walltime, p.walltime_width) for p in self._places])
        values = np.empty(steps.shape)
        with np.errstate(invalid="ignore"):  # a NaN that signals
            for index, place in enumerate(self._places):
                values[index] = self._column(buf, place.value, "<f8" if place.exact else "<f4", rounds)
        return steps, walltimes, values

    def _column(self, buf: Bytes, at: int, dtype: str, rounds: int) -> NDArray[Any]:
        return np.ndarray((rounds,), dtype, buf.data, at, (self.size,))

    def _varints(self, buf: Bytes, rounds: int, places: list[tuple[int, int]]) -> Ints:
        words = np.empty((len(places), rounds), np.uint64)
        for index, (at, width) in enumerate(places):
            groups = np.uint64(GROUPS & (1 << 8 * width) - 1)
            np.bitwise_and(self._column(buf, at, "<u8", rounds), groups, out=words[index])
        # The records of a step have one step, and often one walltime.
        if len(words) > 1 and (words[1:] == words[0]).all():
            return np.broadcast_to(close_up(words[0]), words.shape)
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


def learn(buf: Bytes, base: int, batch: Batch) -> Repeats | None:
    """The round that the last records of a window repeat, if they do and are scalars."""
    count = _round(batch)
    if not count:
        return None
    start, end = int(batch.starts[-count]) - base, int(batch.ends[-1]) - base
    data = buf[start:end].tobytes()
    fixed = bytearray(b"\xff" * len(data))
    places = []
    for at in (batch.starts[-count:] - base - start).tolist():
        place = _read_places(data, at, fixed)
        if place is None:
            return None
        places.append(place)
    tags: dict[int, list[int]] = {}
    for index, tag in enumerate(batch.tags[-count:].tolist()):
        tags.setdefault(tag, []).append(index)
    return Repeats(
        tags,
        len(data),
        np.frombuffer(data, np.uint8),
        np.frombuffer(bytes(fixed), np.uint8),
        places,
    )


def _round(batch: Batch) -> int:
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
