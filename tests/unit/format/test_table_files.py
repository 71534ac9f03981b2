"""Tables to bytes and back, and bytes that are not what they seem."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vizkit import DataError
from vizkit.format.input_packs import PNG, TEXT, PackPlace, digest_of, encode_pack, read_index
from vizkit.format.table_files import decode_table, encode_table
from vizkit.format.tables import (
    References,
    TableColumn,
    TableColumns,
    Texts,
    directory_name,
    file_stem,
    is_range,
    narrowed,
)


def plain(column: TableColumn) -> list[Any]:
    if isinstance(column, Texts):
        return list(column.to_array())
    return list((column.digests if isinstance(column, References) else column).tolist())


@st.composite
def tables(draw: st.DrawFn) -> TableColumns:
    rows = draw(st.integers(0, 12))
    names = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True))
    kinds = st.sampled_from(
        ["b1", "i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8", "text", "category", "input"]
    )
    columns: dict[str, TableColumn] = {}
    for name in names:
        name = name.encode("utf-8", "replace").decode()
        kind = draw(kinds)
        if kind in ("text", "category"):
            values = draw(st.lists(st.text(max_size=4), min_size=1, max_size=4, unique=True))
            values = list(dict.fromkeys(value.encode("utf-8", "replace").decode() for value in values))
            codes = draw(arrays.arrays(np.int32, rows, elements=st.integers(-1, len(values) - 1)))
            columns[name] = Texts(codes, values, kind == "category")
        elif kind == "input":
            columns[name] = References(draw(arrays.arrays(np.uint64, rows)))
        else:
            columns[name] = draw(arrays.arrays(np.dtype(kind), rows))
    return TableColumns(columns, {"task": "made"})


@settings(max_examples=60, deadline=None)
@given(table=tables())
def test_a_table_comes_back_as_it_was(table: TableColumns) -> None:
    found = decode_table(encode_table(table))
    assert list(found) == list(table)
    assert found.about == table.about
    for name, column in table.items():
        there = found[name]
        assert type(there) is type(column)
        np.testing.assert_equal(plain(there), plain(column))
        if isinstance(column, Texts) and column.category:
            assert isinstance(there, Texts) and list(there.values) == list(column.values)
            np.testing.assert_equal(there.codes, column.codes)


def test_numbers_take_the_smallest_type_that_keeps_them() -> None:
    kinds = {
        "u1": [0, 255], "i1": [-1, 127], "u2": [0, 256], "i2": [-129, 3], "u4": [0, 1 << 31],
        "i4": [-70_000, 0], "i8": [-1, 1 << 40], "f4": [0.5, np.nan], "f8": [0.1, 1e300],
    }  # fmt: skip
    for kind, values in kinds.items():
        found = narrowed(np.array(values))
        assert found.dtype == np.dtype(kind)
        np.testing.assert_equal(found.tolist(), values)


def test_ids_that_count_up_take_no_room() -> None:
    assert is_range(np.arange(5, 9)) and not is_range(np.array([1, 2, 4])) and not is_range(np.array([3, 2]))
    table = TableColumns({"id": np.arange(7, 100_007)})
    data = encode_table(table)
    assert len(data) < 1_000
    np.testing.assert_array_equal(plain(decode_table(data)["id"]), np.arange(7, 100_007))


def test_numpy_reads_its_numbers() -> None:
    data = encode_table(TableColumns({"score": np.array([0.5, 1]), "name": Texts.of(["cat", None])}))
    assert np.load(io.BytesIO(data), allow_pickle=False)["score"].tolist() == [0.5, 1]


# -- files that are not what they seem ---------------------------------------------------------------


def test_a_cut_file_is_refused_wherever_it_is_cut() -> None:
    data = encode_table(TableColumns({"a": np.arange(9) ** 2, "b": Texts.of(list("abcabcabc"))}))
    for end in range(0, len(data), 7):
        with pytest.raises(DataError, match="damaged"):
            decode_table(data[:end])


def test_a_changed_byte_is_noticed_or_harmless() -> None:
    table = TableColumns({"a": np.arange(64) ** 2, "b": Texts.of([str(k % 5) for k in range(64)])})
    data, rng = encode_table(table), np.random.default_rng(0)
    right = {name: plain(column) for name, column in table.items()}
    for place in rng.integers(0, len(data), 150).tolist():
        broken = bytearray(data)
        broken[place] ^= 1 << int(rng.integers(0, 8))
        try:
            found = decode_table(bytes(broken))
        except DataError:
            continue
        assert {name: plain(column) for name, column in found.items()} == right, place


def _npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _head(*columns: dict[str, Any]) -> Any:
    return np.frombuffer(json.dumps({"format": 1, "columns": list(columns)}).encode(), np.uint8)


def bombs() -> dict[str, bytes]:
    number = {"name": "a", "kind": "number", "array": "a"}
    packed = io.BytesIO()
    np.savez_compressed(packed, **{"~vizkit": _head(number), "a": np.zeros(10**7)})
    huge = io.BytesIO()
    with zipfile.ZipFile(huge, "w") as archive:
        head = io.BytesIO()
        np.save(head, _head(number))
        archive.writestr("~vizkit.npy", head.getvalue())
        claims = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }"
        claims += b" " * (117 - len(claims)) + b"\n"
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(claims).to_bytes(2, "little") + claims)
    text = {"name": "a", "kind": "text", "array": "a", "texts": "t", "ends": "e"}
    ends = {"t": np.frombuffer(b"xyz", np.uint8), "e": np.array([1, 3])}
    return {
        "range": _npz(**{"~vizkit": _head({"name": "a", "kind": "number", "range": [0, 10**15]})}),
        "packed": packed.getvalue(),
        "huge": huge.getvalue(),
        "pickle": _npz(**{"~vizkit": _head(number), "a": np.array([{}], dtype=object)}),
        "matrix": _npz(**{"~vizkit": _head(number), "a": np.zeros((3, 3))}),
        "codes": _npz(**{"~vizkit": _head(text), "a": np.array([0, 7]), **ends}),
        "ends": _npz(**{"~vizkit": _head(text), "a": np.array([0]), **ends, "e": np.array([3, 1])}),
        "unequal": _npz(
            **{"~vizkit": _head(number, {**number, "name": "b", "array": "b"}), "a": [1], "b": [1, 2]}
        ),
        "no head": _npz(a=np.zeros(3)),
        "later": _npz(**{"~vizkit": np.frombuffer(b'{"format": 2}', np.uint8)}),
        "nested head": _npz(**{"~vizkit": np.frombuffer(b"[" * 100_000, np.uint8)}),
        "no zip": b"no zip",
    }


@pytest.mark.parametrize("name", bombs())
def test_what_claims_too_much_or_is_no_table_is_refused(name: str) -> None:
    with pytest.raises(DataError):
        decode_table(bombs()[name])


def test_a_table_has_bounds() -> None:
    with pytest.raises(DataError, match="equally long"):
        TableColumns({"a": np.zeros(2), "b": np.zeros(3)})
    with pytest.raises(DataError, match="at most"):
        TableColumns({str(k): np.zeros(1) for k in range(501)})


# -- names ------------------------------------------------------------------------------------------


@given(st.text(min_size=1))
def test_the_directory_of_a_tag_is_one_name_below_the_runs(tag: str) -> None:
    name = directory_name(tag)
    assert not set(name) & set('/\\:*?"<>|\0.') and len(name) <= 120
    assert directory_name(tag + "x") != name


def test_a_file_is_named_by_step_and_time() -> None:
    assert [file_stem(step, 7) for step in (3, 3.0, 0.5, -2, 1 << 60)] == [
        "3-7", "3-7", "0.5-7", "-2-7", f"{1 << 60}-7",
    ]  # fmt: skip


# -- packs ------------------------------------------------------------------------------------------


def test_a_pack_gives_back_what_was_put_in() -> None:
    contents = {digest_of(b"a"): (TEXT, b"some text"), digest_of(b"b"): (PNG, b""), 1 << 63: (PNG, b"xyz")}
    data = encode_pack(contents)
    index = read_index(lambda start, end: data[start:end], len(data))
    assert {key: (place.kind, data[place.start : place.end]) for key, place in index.items()} == contents
    assert read_index(lambda start, end: encode_pack({})[start:end], len(encode_pack({}))) == {}
    for end in range(len(data)):
        with pytest.raises(DataError, match="no pack"):
            read_index(lambda a, b, end=end: data[:end][a:b], end)  # type: ignore[misc]


def test_a_pack_that_claims_more_than_it_holds_is_refused() -> None:
    data = bytearray(encode_pack({5: (TEXT, b"abc"), 6: (TEXT, b"de")}))
    for place, value in ((16, 200), (20, 255), (24 + 16, 255), (24 + 16 + 8, 1)):
        broken = bytearray(data)
        broken[place] = value
        with pytest.raises(DataError, match="no pack"):
            read_index(lambda a, b, broken=broken: bytes(broken[a:b]), len(broken))  # type: ignore[misc]
    assert read_index(lambda a, b: bytes(data[a:b]), len(data))[6] == PackPlace(
        24 + 34 + 3, 24 + 34 + 5, TEXT
    )
