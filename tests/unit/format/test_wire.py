"""Protocol Buffers' wire format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.format.frames import STEPS, fast
from vizkit.format import wire


@fast
@given(st.integers(0, 3), st.integers(0, 5), st.data())
def test_rows_of_varints_are_those_of_each_number(rows: int, columns: int, data: st.DataObject) -> None:
    numbers = st.one_of(STEPS, st.integers(0, 300), st.integers(0, 10).map(lambda k: (1 << 7 * k) - 1))
    row = st.lists(numbers.filter(lambda n: n < 2**63), min_size=columns, max_size=columns)
    values = np.array(data.draw(st.lists(row, min_size=rows, max_size=rows)), np.int64).reshape(rows, columns)
    assert wire.varint_rows(values) == [b"".join(map(wire.varint, row)) for row in values.tolist()]


@fast
@given(st.integers(-(2**63), 2**64 - 1))
def test_a_varint_is_read_back(number: int) -> None:
    data = wire.varint(number)
    assert wire.read_varint(data + b"x", 0) == (number % 2**64, len(data))
    assert wire.signed(number % 2**64) == (number + 2**63) % 2**64 - 2**63


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 10 + b"\x01"])
def test_a_varint_without_an_end_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="has no end"):
        wire.read_varint(data, 0)


def test_fields_come_in_their_order() -> None:
    parts = [b"\x08\x96\x01", wire.double(2, 0.5), wire.length_delimited(3, b"abc"), b"\x25" + bytes(4)]
    found = list(wire.fields(b"".join(parts)))
    assert found == [(1, 0, 150), (2, 1, np.float64(0.5).tobytes()), (3, 2, b"abc"), (4, 5, bytes(4))]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"\x0b", "wire type 3"),
        (b"\x0a\x05abc", "field 1 runs over the end"),
        (b"\x02\x01a", "field 0"),
        (b"\x09" + bytes(7), "field 1 runs over the end"),
        (b"\x08", "has no end"),
    ],
)
def test_a_message_that_is_not_whole_is_refused(data: bytes, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        list(wire.fields(data))


@fast
@given(st.lists(STEPS))
def test_repeated_numbers_are_read_packed_or_not(numbers: list[int]) -> None:
    assert wire.read_packed(b"".join(map(wire.varint, numbers))) == numbers
    assert [n for number in numbers for n in wire.read_packed(number % 2**64)] == numbers
