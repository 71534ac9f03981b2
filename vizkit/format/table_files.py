"""The bytes of a table: NumPy's ``.npz`` without compression, with a head in JSON that tells the columns.

``numpy.load`` reads it. What is read here is checked before memory is taken for it: a file may come from
anywhere.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from vizkit.errors import DataError
from vizkit.format.tables import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_TABLE_ROWS,
    References,
    TableColumn,
    TableColumns,
    Texts,
    is_range,
    narrowed,
)
from vizkit.metrics.arrays import AnyArray

__all__ = ["ENDING", "MOST_BYTES", "decode_table", "encode_table"]

ENDING = ".npz"

MOST_BYTES = 2 << 30
"""Size of a table's file at most."""

_HEAD = "~vizkit"
_FORMAT = 1
_MOST_HEAD = 16 << 20  # bytes of JSON
_NUMBERS = "biuf"


def encode_table(table: TableColumns) -> bytes:
    """The bytes of a table's file; its numbers take the smallest type that keeps them."""
    head = _head(table)
    arrays: dict[str, AnyArray] = {}

    def kept(key: str, array: AnyArray) -> str:
        arrays[key] = array
        return key

    for place, (kind, (name, column)) in enumerate(zip(head["columns"], table.items(), strict=True)):
        key = f"~{place}" if name.startswith("~") or "\0" in name else name
        if isinstance(column, Texts):
            data = [text.encode("utf-8", "replace") for text in column.values]
            kind["texts"] = kept(f"~{place}.texts", np.frombuffer(b"".join(data), np.uint8))
            kind["ends"] = kept(f"~{place}.ends", np.cumsum([len(one) for one in data], dtype=np.int64))
            kind["array"] = kept(key, narrowed(column.codes))
        elif isinstance(column, References):
            kind["array"] = kept(key, column.digests)
            if column.layers is not None:
                kind["layers"] = kept(f"~{place}.layers", column.layers)
        elif is_range(column):
            kind["range"] = [int(column[0]), len(column)]
        else:
            kind["array"] = kept(key, narrowed(column))
    file = io.BytesIO()
    text = json.dumps(head).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for key, array in {_HEAD: np.frombuffer(text, np.uint8), **arrays}.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def decode_table(data: bytes) -> TableColumns:
    """The table of a file's bytes.

    Raises:
        DataError: they are damaged, of another form, or hold more than a table may have.
    """
    try:
        return _decoded(data)
    except DataError:
        raise
    except Exception as error:  # zipfile, NumPy and json each raise their own
        text = " ".join(str(error).split())[:300]
        raise DataError("the table is damaged: {error}", error=text or type(error).__name__) from error


# -- the head -----------------------------------------------------------------------------------------


def _head(table: TableColumns) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = []
    for name, column in table.items():
        kind: dict[str, Any] = {"name": name, "kind": "number"}
        if isinstance(column, Texts):
            kind["kind"] = "category" if column.category else "text"
        elif isinstance(column, References):
            kind["kind"] = "input"
        kinds.append(kind)
    return {"format": _FORMAT, "about": dict(table.about), "columns": kinds}


def _parsed_head(text: bytes) -> tuple[list[dict[str, Any]], dict[str, str]]:
    if len(text) > _MOST_HEAD:
        raise ValueError("its head is too long")
    head = json.loads(text)
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise DataError("the table is of another format: a later VizKit may read it")
    kinds = head["columns"]
    if len(kinds) > MOST_COLUMNS:
        raise ValueError(f"it has {len(kinds):,} columns")
    names = [kind["name"] for kind in kinds]
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise ValueError("its columns have no names of their own")
    about = head.get("about")
    return kinds, {str(k): str(v) for k, v in about.items()} if isinstance(about, dict) else {}


def _check_size(rows: int, columns: int) -> None:
    if rows < 0 or rows > MOST_TABLE_ROWS or rows * columns > MOST_CELLS or columns > MOST_COLUMNS:
        raise ValueError(f"it claims {rows:,} rows of {columns:,} columns, more than a table may have")


def _texts(codes: AnyArray, values: Sequence[str], *, category: bool) -> Texts:
    if codes.dtype.kind not in "iu" or (codes.size and (codes.min() < -1 or codes.max() >= len(values))):
        raise ValueError("its texts are not those that its rows name")
    return Texts(codes, values, category)


def _references(digests: AnyArray, layers: AnyArray | None) -> References:
    if layers is not None and len(layers) != len(digests):
        raise ValueError("its layers are not one a row")
    first, second = (
        None if each is None else each.astype(np.uint64, casting="safe", copy=False)
        for each in (digests, layers)
    )
    assert first is not None
    return References(first, second)


def _decoded(data: bytes) -> TableColumns:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: info for info in archive.infolist()}
        packed = any(info.compress_type != zipfile.ZIP_STORED for info in members.values())
        if packed or sum(info.file_size for info in members.values()) > len(data):
            raise ValueError("it is compressed, which VizKit's are not")
        if len(members) > 4 * MOST_COLUMNS:
            raise ValueError(f"it has {len(members):,} parts")

        def array(key: object) -> AnyArray:
            return _array(archive.read(members[f"{key}.npy"]))

        kinds, about = _parsed_head(array(_HEAD).tobytes())
        columns: dict[str, TableColumn] = {}
        for kind in kinds:
            if "range" in kind:
                start, count = (int(number) for number in kind["range"])
                _check_size(count, len(kinds))
                columns[kind["name"]] = np.arange(start, start + count)
                continue
            found = array(kind["array"])
            _check_size(len(found), len(kinds))
            if kind["kind"] == "input":
                columns[kind["name"]] = _references(
                    found, array(kind["layers"]) if "layers" in kind else None
                )
            elif kind["kind"] in ("text", "category"):
                values = _split(array(kind["texts"]).tobytes(), array(kind["ends"]))
                columns[kind["name"]] = _texts(found, values, category=kind["kind"] == "category")
            else:
                columns[kind["name"]] = found
    return TableColumns(columns, about)


def _array(data: bytes) -> AnyArray:
    """The array of an ``.npy`` file's bytes: flat numbers and nothing else."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError("an array is of another version")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.kind not in _NUMBERS or len(shape) != 1 or dtype.itemsize > 8:
        raise ValueError("an array holds no plain numbers")
    start = file.tell()
    if shape[0] * dtype.itemsize != len(data) - start:
        raise ValueError("an array is not whole")
    found: AnyArray = np.frombuffer(data, dtype, offset=start)
    return found if dtype.isnative else found.astype(dtype.newbyteorder("="))


def _split(data: bytes, ends: AnyArray) -> list[str]:
    if ends.dtype.kind not in "iu" or (ends.size and (ends[0] < 0 or ends[-1] != len(data))):
        raise ValueError("its texts are not whole")
    if (ends[1:] < ends[:-1]).any():
        raise ValueError("its texts are not in order")
    places = [0, *ends.tolist()]
    return [data[start:end].decode("utf-8") for start, end in pairwise(places)]
