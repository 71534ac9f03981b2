"""Whole frames and damage of a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.format.frames import fast, scalar
from vizkit.format.decode import decode_record
from vizkit.format.frames import Damage, Frame, read_frames, scan

FRAMES = [scalar("train/loss", i / 3, i, 1000 + i) for i in range(50)]


def test_whole_frames_are_walked() -> None:
    data = b"".join(FRAMES)
    assert all(isinstance(part, Frame) for part in scan(data))
    assert [decode_record(part).step for part in read_frames(data)] == list(range(50))


@pytest.mark.parametrize("cut", range(1, len(FRAMES[-1])))
def test_a_torn_tail_costs_its_record_only(cut: int) -> None:
    data = b"".join(FRAMES)[:-cut]
    *frames, torn = scan(data)
    assert len(frames) == 49
    assert torn == Damage(len(data) - len(FRAMES[-1]) + cut, len(data))


@pytest.mark.parametrize(
    "junk", [b"\0" * 100, b"\xff" * 100, b"\n" * 100, FRAMES[7][:20], FRAMES[7][9:], b"x"]
)
def test_damage_within_costs_itself_only(junk: bytes) -> None:
    data = b"".join(FRAMES[:20]) + junk + b"".join(FRAMES[20:])
    parts = list(scan(data))
    assert [decode_record(part).step for part in read_frames(data)] == list(range(50))
    start = len(b"".join(FRAMES[:20]))
    assert [part for part in parts if isinstance(part, Damage)] == [Damage(start, start + len(junk))]


@fast
@given(st.binary(max_size=400))
def test_any_bytes_are_walked_to_their_end(data: bytes) -> None:
    parts = list(scan(data))
    position = 0
    for part in parts:
        assert part.start == position + (8 if isinstance(part, Frame) else 0)
        position = part.end
    assert position == len(data)
