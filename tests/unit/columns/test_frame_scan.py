"""A walk over a log in windows finds what a scan of its bytes finds."""

from __future__ import annotations

import gc
import random
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.logs import TAGS, damaged, mixed_log, scalar
from vizkit.columns import frame_scan
from vizkit.format.frames import Damage, Frame, scan


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_a_walk_in_windows_finds_the_frames_of_a_scan(seed: int) -> None:
    class Log:
        window = 400

        def read_into(self, view: memoryview, at: int) -> int:
            part = data[at : at + len(view)]
            view[: len(part)] = part
            return len(part)

    r = random.Random(seed)
    data = damaged(r, b"".join(mixed_log(r, 30, TAGS)))
    found: list[Any] = []
    for part in frame_scan.FrameWalk(Log(), 0, len(data)):
        if isinstance(part, Damage):
            found.append(part)
        else:
            ends = (part.base + part.frames.ends).tolist()
            found += map(Frame, (part.base + part.frames.starts + 8).tolist(), ends)
    assert sorted(found) == list(scan(data))


class Bytes:
    """Bytes as a log, of which a reader may see fewer than there were."""

    window = 1 << 20

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_into(self, view: memoryview, at: int) -> int:
        part = self._data[at : at + len(view)]
        view[: len(part)] = part
        return len(part)


def frames_of(log: Bytes, size: int) -> tuple[frame_scan.FrameWalk, list[tuple[int, int] | Damage]]:
    walk = frame_scan.FrameWalk(log, 0, size)
    found: list[tuple[int, int] | Damage] = []
    for part in walk:
        if isinstance(part, Damage):
            found.append(part)
        else:
            found += zip(part.frames.starts.tolist(), part.frames.ends.tolist(), strict=True)
    return walk, found


def test_a_walk_is_gone_with_its_last_reference() -> None:
    """While many logs are read, Python's garbage collector rests: the columns that a walk fills stayed."""
    log = Bytes(scalar("a", 0.5) + b"torn" * 20 + scalar("b", 0.5))
    gc.disable()
    try:
        walk, found = frames_of(log, 200)
        gone = weakref.ref(walk)
        del walk
        assert len(found) > 1
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("padding", [1, 6])
def test_a_length_of_more_bytes_than_it_needs_is_valid(padding: int) -> None:
    """Protobuf allows it, though no writer does it; up to 7 bytes are read."""
    plain = scalar("a", 0.5)
    inner = plain[10:]
    record = b"\x0a" + bytes([len(inner) | 0x80]) + b"\x80" * (padding - 1) + b"\0" + inner
    odd = len(record).to_bytes(8, "little") + record
    data = plain + odd + plain
    ends = [len(plain), len(plain) + len(odd), len(data)]
    assert list(scan(data)) == [Frame(start + 8, end) for start, end in zip([0, *ends], ends, strict=False)]
    _, found = frames_of(Bytes(data), len(data))
    assert found == list(zip([0, *ends], ends, strict=False))


@pytest.mark.parametrize("some", [60, 150])
def test_short_pieces_are_read_and_moved_once(some: int) -> None:
    """A window is filled again when most of it is used, and at a log's end, whatever is left of it there."""

    class Log(Bytes):
        window = 300

        def read_into(self, view: memoryview, at: int) -> int:
            reads.append(len(view))
            return super().read_into(view, at)

    plain = scalar("a", 0.5)
    reads: list[int] = []
    for size in range(280, 640):
        data = (plain * 60)[:size]
        reads.clear()
        walk = frame_scan.FrameWalk(Log(data), 0, size, lambda buf, size, base: (0, min(size, some)))
        ends = [
            part.base + end
            for part in walk
            if isinstance(part, frame_scan.Piece)
            for end in part.frames.ends.tolist()
        ]
        assert ends == [len(plain) * (n + 1) for n in range(size // len(plain))]
        assert sum(reads) == size


def test_a_log_that_is_cut_while_it_is_read_ends_there() -> None:
    plain = scalar("a", 0.5)
    walk, found = frames_of(Bytes(plain * 3 + plain[:5]), len(plain) * 10)
    size = len(plain)
    assert walk.size == 3 * size + 5
    assert found == [*((k * size, (k + 1) * size) for k in range(3)), Damage(3 * size, 3 * size + 5)]
