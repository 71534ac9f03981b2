"""Varints of a buffer, many at once, are those read one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vizkit.columns.varints import varints, wide_varints, window, words_of
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


def test_words_begin_at_every_byte_and_are_no_copy() -> None:
    buf = window(4)
    buf[:4] = [1, 2, 3, 4]
    words = words_of(buf)
    assert words[:2].tolist() == [0x04030201, 0x040302]
    buf[0] = 9
    assert words[0] == 0x04030209
    assert len(words) == len(buf) - 7
