"""Numbers for the texts within a buffer: equal texts get the same one, and every byte is compared."""

from __future__ import annotations

import numpy as np

from vizkit.columns.varints import Bytes, Words
from vizkit.metrics.arrays import Bools, Ints

__all__ = ["NameTable"]

_CHUNK = 32
_LONGEST = 1024
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_MASKS = np.array(
    [[(1 << 8 * min(max(n - 8 * word, 0), 8)) - 1 for word in range(_CHUNK // 8)] for n in range(_CHUNK + 1)],
    np.uint64,
)


class NameTable:
    """Names and their numbers, in the order in which they were first seen."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._rows = np.zeros((0, 1), np.uint64)  # the bytes of each spelling, padded with zeros
        self._lengths = np.zeros(0, np.int64)
        self._spelt = np.zeros(0, np.int64)  # spelling -> number
        self._hashes = np.zeros(0, np.uint64)  # sorted
        self._order = np.zeros(0, np.int64)  # spelling of each hash

    def number(self, name: str) -> int:
        """The number of a name; a new name gets the next one."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def find(self, buf: Bytes, at: Ints, lengths: Ints) -> tuple[Ints, Bools]:
        """Number the names that lie in a buffer, new ones included.

        Args:
            buf: bytes, with at least 32 more after the last name.
            at: (n,) positions of the names.
            lengths: (n,) their lengths in bytes.

        Returns:
            (n,) numbers; (n,) False where a name is too long and its number is meaningless.
        """
        if not len(at):
            return at, np.zeros(0, bool)
        longest = int(lengths.max())
        fits = np.ones(len(at), bool)
        if longest > _LONGEST:
            fits = lengths <= _LONGEST
            lengths = lengths * fits
            longest = int(lengths.max())
        columns = _read(buf, at, lengths, longest)
        hashes = lengths.astype(np.uint64)
        for column in columns:
            hashes = (hashes ^ column) * _FACTOR
            hashes ^= hashes >> _HALF
        spelling = self._spelling(hashes)
        if spelling is None:
            self._learn(buf, at, lengths, hashes)
            spelling = self._spelling(hashes)
            assert spelling is not None
        # Equal hashes do not prove equal names; comparing the bytes does.
        fits &= self._lengths.take(spelling) == lengths
        width = self._rows.shape[1]
        for index, column in enumerate(columns):
            fits &= (self._rows[:, index].take(spelling) if index < width else 0) == column
        return self._spelt.take(spelling), fits

    def _spelling(self, hashes: Words) -> Ints | None:
        """The spelling of each hash, or None if some are new."""
        if not len(self._hashes):
            return None
        index = np.searchsorted(self._hashes, hashes)
        np.minimum(index, len(self._hashes) - 1, out=index)
        if (self._hashes.take(index) != hashes).any():
            return None
        return self._order.take(index)

    def _learn(self, buf: Bytes, at: Ints, lengths: Ints, hashes: Words) -> None:
        unseen = np.flatnonzero(~np.isin(hashes, self._hashes))
        _, firsts = np.unique(hashes[unseen], return_index=True)
        firsts = unseen[np.sort(firsts)]
        spellings = [buf[p : p + n].tobytes() for p, n in zip(at[firsts], lengths[firsts], strict=True)]
        width = max(self._rows.shape[1], *(-(-len(text) // 8) for text in spellings))
        packed = b"".join(text.ljust(8 * width, b"\0") for text in spellings)
        old = np.zeros((len(self._rows), width), np.uint64)
        old[:, : self._rows.shape[1]] = self._rows
        self._rows = np.concatenate([old, np.frombuffer(packed, "<u8").reshape(-1, width)])
        self._lengths = np.append(self._lengths, lengths[firsts])
        numbers = [self.number(text.decode("utf-8", "replace")) for text in spellings]
        self._spelt = np.append(self._spelt, numbers)
        every = np.concatenate([self._hashes, hashes[firsts]])
        spelling = np.append(self._order, np.arange(len(self._order), len(every)))
        order = np.argsort(every)
        self._hashes, self._order = every[order], spelling[order]


def _read(buf: Bytes, at: Ints, lengths: Ints, longest: int) -> list[Words]:
    """Names as columns of 8 bytes each, padded with zeros."""
    columns: list[Words] = []
    for start in range(0, max(longest, 1), _CHUNK):
        width = min(_CHUNK, -(-max(longest - start, 1) // 8) * 8)
        rows = np.ndarray((len(buf) - width + 1,), f"V{width}", buf.data, strides=(1,))
        left = lengths - start if start else lengths
        some = None
        if start and int(left.min()) <= 0:
            some = np.flatnonzero(left > 0)
            left = left[some]
        words = rows[at + start if some is None else at[some] + start].view("<u8").reshape(-1, width // 8)
        masks = _MASKS[:, : width // 8].take(np.minimum(left, _CHUNK), axis=0)
        words &= masks
        for index in range(width // 8):
            if some is None:
                columns.append(words[:, index])
            else:
                column = np.zeros(len(at), np.uint64)
                column[some] = words[:, index]
                columns.append(column)
    return columns
