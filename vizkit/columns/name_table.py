"""Numbers for the texts within a buffer: equal texts get the same one, and every byte is compared."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from vizkit.columns.varints import Bytes, Words
from vizkit.metrics.arrays import AnyArray, Bools, Ints

__all__ = ["NameTable"]

_WIDTHS = (32, 128, 512)  # bytes: names up to these are looked up together, longer ones alone
_PADDED = 4  # times as long as they are: so far may names be padded to be looked up together
_CACHED = 1 << 19  # bytes
_FIRST = 256  # names among which new ones are looked for, since most come again in the rest
_FACTORS = np.random.default_rng(0x9E3779B9).integers(1 << 63, dtype=np.uint64, size=_WIDTHS[-1] // 8) * 2 + 1
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)[
    np.clip(np.arange(_WIDTHS[-1] + 1)[:, None] - np.arange(0, _WIDTHS[-1], 8), 0, 8)
]  # length of a name -> the bits of its words

_HALF = np.uint64(32)

_ROOM = 16  # spellings, at first


class NameTable:
    """Names and their numbers, in the order in which they were first seen."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._long: dict[bytes, int] = {}
        self._spellings: dict[int, _Spellings] = {}  # by their widths; many tables never look for one

    def number(self, name: str) -> int:
        """The number of a name; a new name gets the next one."""
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number

    def find(self, buf: Bytes, at: Ints, lengths: Ints) -> tuple[Ints, Bools]:
        """Number the names that lie in a buffer, new ones included.

        Args:
            buf: bytes, with at least 512 more after the last name.
            at: (n,) positions of the names, ascending.
            lengths: (n,) their lengths in bytes.

        Returns:
            (n,) numbers; (n,) False where a number is meaningless because two names have the same hash.
        """
        longest = int(lengths.max(initial=0))
        alike = longest <= _WIDTHS[0] or longest * len(at) <= _PADDED * int(lengths.sum())
        if alike and longest <= _WIDTHS[-1]:
            width = next(width for width in _WIDTHS if longest <= width)
            return self._find_all(buf, at, lengths, longest, width)
        numbers, known = np.zeros(len(at), np.int64), np.ones(len(at), bool)
        for shorter, width in pairwise((-1, *_WIDTHS)):
            some = np.flatnonzero((lengths > shorter) & (lengths <= width))
            if len(some):
                widest = min(width, longest)
                numbers[some], known[some] = self._find_all(buf, at[some], lengths[some], widest, width)
        some = np.flatnonzero(lengths > _WIDTHS[-1])
        if len(some):
            numbers[some] = self._find_long(buf, at[some].tolist(), lengths[some].tolist())
        return numbers, known

    def _find_long(self, buf: Bytes, at: list[int], lengths: list[int]) -> list[int]:
        data = buf[: at[-1] + lengths[-1]].tobytes()  # bytes are sliced faster than arrays
        names = [data[start : start + length] for start, length in zip(at, lengths, strict=True)]
        numbers = list(map(self._long.get, names))
        if None in numbers:
            for name in dict.fromkeys(names):
                if name not in self._long:
                    self._long[name] = self.number(name.decode("utf-8", "replace"))
            numbers = list(map(self._long.get, names))
        return numbers  # type: ignore[return-value]  # all are known

    def _find_all(self, buf: Bytes, at: Ints, lengths: Ints, longest: int, width: int) -> tuple[Ints, Bools]:
        """Find names of one width in parts whose bytes stay in the processor's cache."""
        spellings = self._spellings.get(width)
        if spellings is None:
            spellings = self._spellings[width] = _Spellings(self.number)
        step = max(_CACHED // max(longest, 8), 1)
        if len(at) <= step:
            return spellings.find(buf, at, lengths, longest)
        parts = [
            spellings.find(buf, at[start : start + step], lengths[start : start + step], longest)
            for start in range(0, len(at), step)
        ]
        numbers, known = zip(*parts, strict=True)
        return np.concatenate(numbers), np.concatenate(known)


class _Spellings:
    """The bytes of names of about the same length, and the names' numbers.

    Args:
        number: numbers a name.
    """

    def __init__(self, number: Callable[[str], int]) -> None:
        self._number = number
        # Of each spelling; with room for more of them.
        self._count = 0
        self._rows = np.zeros((1, 1), np.uint64)  # its bytes, padded with zeros
        self._lengths = self._spelt = np.zeros(1, np.int64)  # and its number
        self._hashes = np.zeros(1, np.uint64)
        self._slots = np.full(2, -1)  # spellings by their hashes: each in the next free slot, with many left
        self._shift = np.uint64(63)  # of a hash: its highest bits are left, the best ones

    def find(self, buf: Bytes, at: Ints, lengths: Ints, longest: int) -> tuple[Ints, Bools]:
        """Number names of at most ``longest`` bytes, as `NameTable.find` does."""
        words = _read(buf, at, lengths, longest)
        hashes = words @ _FACTORS[: words.shape[1]] + lengths.view(np.uint64)
        hashes ^= hashes >> _HALF  # the last bytes of a word have a bearing on its highest bits alone
        hashes *= _FACTORS[-1]
        spelling = self._look_up(hashes)
        some = _FIRST
        while len(new := np.flatnonzero(spelling < 0)):
            first, some = new[:some], 4 * some
            self._learn(buf, at[first], lengths[first], hashes[first])
            spelling[new] = self._look_up(hashes[new])
        # Equal hashes do not prove equal names; comparing the bytes does.
        fits = self._lengths.take(spelling) == lengths
        width = min(words.shape[1], self._rows.shape[1])  # behind it both are zeros
        equal = self._rows.take(spelling, axis=0)[:, :width] == words[:, :width]
        if not equal.all():
            fits &= equal.all(axis=1)
        return self._spelt.take(spelling), fits

    def _look_up(self, hashes: Words) -> Ints:
        """The spelling of each hash, -1 for a new one."""
        last = len(self._slots) - 1
        slots = (hashes >> self._shift).view(np.int64)
        found = self._slots.take(slots)
        others = np.flatnonzero(self._hashes.take(found) != hashes)
        others = others[found[others] >= 0]
        while len(others):
            slots[others] = slots[others] + 1 & last
            found[others] = self._slots[slots[others]]
            others = others[found[others] >= 0]
            others = others[self._hashes[found[others]] != hashes[others]]
        return found

    def _learn(self, buf: Bytes, at: Ints, lengths: Ints, hashes: Words) -> None:
        firsts = np.sort(np.unique(hashes, return_index=True)[1])
        names = [buf[p : p + n].tobytes() for p, n in zip(at[firsts], lengths[firsts], strict=True)]
        start, end = self._count, self._count + len(names)
        width = max(self._rows.shape[1], -(-int(lengths[firsts].max()) // 8))
        packed = b"".join(name.ljust(8 * width, b"\0") for name in names)
        self._count = end
        room = max(end, _ROOM)
        self._rows = _with_room(self._rows, room, width)
        self._rows[start:end] = np.frombuffer(packed, "<u8").reshape(-1, width)
        self._lengths, self._spelt, self._hashes = (
            _with_room(column, room) for column in (self._lengths, self._spelt, self._hashes)
        )
        self._lengths[start:end] = lengths[firsts]
        self._spelt[start:end] = [self._number(name.decode("utf-8", "replace")) for name in names]
        self._hashes[start:end] = hashes[firsts]
        if 4 * end > len(self._slots):
            bits = (16 * end).bit_length()
            self._slots, self._shift = np.full(1 << bits, -1), np.uint64(64 - bits)
            start = 0
        self._fill_slots(np.arange(start, end))

    def _fill_slots(self, spellings: Ints) -> None:
        last = len(self._slots) - 1
        slots = (self._hashes[spellings] >> self._shift).view(np.int64)
        while len(spellings):
            free = self._slots[slots] < 0
            self._slots[slots[free]] = spellings[free]
            left = np.flatnonzero(self._slots[slots] != spellings)
            spellings, slots = spellings[left], slots[left] + 1 & last


def _with_room(column: AnyArray, count: int, width: int = 0) -> AnyArray:
    """A column of at least ``count`` rows, of ``width`` if it has several numbers in each."""
    shape = (len(column) if count <= len(column) else 2 * count, *([width] if width else []))
    if shape == column.shape:
        return column
    grown = np.zeros(shape, column.dtype)
    grown[tuple(map(slice, column.shape))] = column
    return grown


def _read(buf: Bytes, at: Ints, lengths: Ints, longest: int) -> Words:
    """Names as rows of words of 8 bytes, padded with zeros."""
    width = max(-(-longest // 8), 1)
    rows = np.ndarray((len(buf) - 8 * width + 1,), f"V{8 * width}", buf.data, strides=(1,))
    words = rows[at].view("<u8").reshape(-1, width)
    whole = min(int(lengths.min(initial=longest)) // 8, width - 1)  # words that every name fills
    words[:, whole:] &= _MASKS[:, whole:width].take(lengths, axis=0)
    return words
