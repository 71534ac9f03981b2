"""Records of a log whose contents are broken, although their frames are whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vizkit.columns.column_builder import NoRecord
from vizkit.columns.frame_scan import FrameWalk, Piece, Readable, read_bytes
from vizkit.columns.record_batch import MEMBER, SCALAR, LogNames, RecordBatch, parse_records
from vizkit.format.contents import why_broken
from vizkit.metrics.arrays import Bools

__all__ = ["broken_contents"]

_WIDE = 1 << 56  # varints from here on are looked at, and negative ones: they may have too many bits


def broken_contents(log: Readable, size: int) -> Iterator[NoRecord]:
    """The records of a log of ``size`` bytes that cannot be parsed, and why, in their order.

    Raises:
        OSError: the log cannot be read.
    """
    names = LogNames()
    for piece in FrameWalk(log, 0, size):
        if not isinstance(piece, Piece):
            continue
        batch, _ = parse_records(piece.buf, piece.size, piece.frames, names)

        def read(start: int, end: int, piece: Piece = piece) -> bytes:
            if end <= piece.base + piece.size:
                return piece.buf[start - piece.base : end - piece.base].tobytes()
            return read_bytes(log, start, end)

        for index in np.flatnonzero(~_proved(batch, names)).tolist():
            start, end = piece.base + int(batch.starts[index]), piece.base + int(batch.ends[index])
            if why := why_broken(read, start + 8, end):
                yield NoRecord(start, end, why)


def _proved(batch: RecordBatch, names: LogNames) -> Bools:
    """(n,) True for scalars, and members of groups, that were parsed to their last byte."""
    proved: Bools = batch.kinds == SCALAR
    if batch.members is not None:
        odd = [number for number, name in enumerate(names.members.names) if "\ufffd" in name]
        proved |= (batch.kinds == MEMBER) & ~np.isin(batch.members, odd)
    for numbers in (batch.steps, batch.walltimes):
        proved &= (numbers >= 0) & (numbers < _WIDE)
    return proved
