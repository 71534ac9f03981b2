"""Protocol Buffers' wire format."""

from __future__ import annotations

import numpy as np
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
