"""JSON is parsed up to a depth and a number of values, however it is written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit._json import DEEPEST, parse_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.booleans())
def test_what_json_writes_is_parsed(value: object, escaped: bool) -> None:
    data = json.dumps([value, "[" * 200, '\\"[' * 200], ensure_ascii=escaped)
    assert parse_json(data.encode("utf-8", "surrogatepass")) == json.loads(data)


@pytest.mark.parametrize("fill", [b"", b'"\\"",', b'"[[[\\\\",', b'"]]]]",', b'"\\\\\\"]",'])
@pytest.mark.parametrize("levels", [DEEPEST + 1, 300, 5_000, 1_000_000])
def test_nesting_is_bounded_whatever_texts_lie_between(fill: bytes, levels: int) -> None:
    for closed in (True, False):
        with pytest.raises(ValueError, match="levels deep"):
            parse_json((b"[" + fill) * levels + b"0" + b"]" * levels * closed)


def test_the_greatest_depth_is_parsed() -> None:
    deepest = parse_json(b"[" * DEEPEST + b"]" * DEEPEST)
    assert json.dumps(deepest) == "[" * DEEPEST + "]" * DEEPEST
    assert parse_json(b"[" + b"[]," * 10_000 + b"{}]") == [*([] for _ in range(10_000)), {}]


@pytest.mark.parametrize("data", [b"", b"[", b"\xff", b'"', b'"\\', b"]" * 1_000, "[1]".encode("utf-16")])
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(data)


def test_values_are_counted() -> None:
    with pytest.raises(ValueError, match="holds 1,000,001 values"):
        parse_json(b"[" + b"1," * 1_000_000 + b"1]")
