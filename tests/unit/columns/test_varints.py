"""Varints of a buffer, many at once, are those read one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vizkit.columns.varints import lengths_at, varints, wide_varints, window, words_of
from vizkit.format import wire


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1))
def test_varints_of_every_width(numbers: list[int]) -> None:
    encoded = [wire.varint(number) for number in numbers]
    data = b"".join(encoded)
    buf = window(len(data))
    buf[: len(data)] = np.frombuffer(data, np.uint8)
    starts = np.cumsum([0, *map(len, encoded)])[:-1]
    found, widths = varints(words_of(buf)[starts])
    for number, width, value in zip(numbers, map(len, encoded), found.tolist(), strict=True):
        assert width >= 8 or value == number
    assert [min(width, 8) for width in widths.tolist()] == [min(len(part), 8) for part in encoded]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_wide_varints_of_every_width(numbers: list[int]) -> None:
    encoded = [wire.varint(number) for number in numbers]
    data = b"".join(encoded) + b"\xff" * 10
    buf = window(len(data))
    buf[: len(data)] = np.frombuffer(data, np.uint8)
    starts = np.cumsum([0, *map(len, encoded)])
    found, widths = wide_varints(buf, starts)
    assert found.tolist()[:-1] == numbers
    assert widths.tolist() == [*map(len, encoded), 11]


@given(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 2**15), min_size=1), st.integers(0, 8))
def test_lengths_of_every_width_and_padded_ones(numbers: list[int], padding: int) -> None:
    encoded = [wire.varint(number) for number in numbers]
    padded = [part[:-1] + bytes([part[-1] | 0x80]) + b"\x80" * padding + b"\0" for part in encoded]
    parts = [*encoded, *padded]
    data = b"".join(parts)
    buf = window(len(data))
    buf[: len(data)] = np.frombuffer(data, np.uint8)
    starts = np.cumsum([0, *map(len, parts)])
    found, behind = lengths_at(buf, starts[:-1])
    for number, part, value, start, end in zip(
        numbers * 2, parts, found.tolist(), starts.tolist(), behind.tolist(), strict=False
    ):
        is_short = len(part) < 8
        assert value == (number if is_short else -1)
        assert end == start + (len(part) if is_short else 1)


def test_words_begin_at_every_byte_and_are_no_copy() -> None:
    buf = window(4)
    buf[:4] = [1, 2, 3, 4]
    words = words_of(buf)
    assert words[:2].tolist() == [0x04030201, 0x040302]
    buf[0] = 9
    assert words[0] == 0x04030209
    assert len(words) == len(buf) - 7
